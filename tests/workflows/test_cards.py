"""Nobody writes a card's number into an order or a command."""

import pytest
from temporalio.client import WorkflowFailureError, WorkflowUpdateFailedError
from temporalio.exceptions import ApplicationError

from tests.workflows.conftest import Plays
from tests.workflows.orders import one_parcel_order
from tests.workflows.play import CANCEL, kinds

CARD = "my card is 4111 1111 1111 1111"


async def test_an_order_or_a_command_with_a_cards_number_is_refused(plays: Plays) -> None:
    async with plays() as play:
        await play.start_paid(one_parcel_order())
        before = kinds(await play.history())
        with pytest.raises(WorkflowUpdateFailedError) as refused:
            await play.update("cancel", CANCEL.model_copy(update={"reason": CARD}))
        assert isinstance(refused.value.cause, ApplicationError)
        assert refused.value.cause.type == "BadMessage" and "reason has what looks like" in refused.value.cause.message
        assert "4111" not in refused.value.cause.message and kinds(await play.history()) == before
        order = one_parcel_order()
        line = order.lines[0].model_copy(update={"name": CARD})
        await play.begin(order.model_copy(update={"lines": (line,), "order_no": f"{order.order_no}X"}))
        with pytest.raises(WorkflowFailureError) as taken:
            await play.handle.result()
        assert isinstance(taken.value.cause, ApplicationError) and "lines.name" in taken.value.cause.message
