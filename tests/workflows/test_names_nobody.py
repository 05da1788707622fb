"""What Temporal shows of an order without opening its history: numbers and states, and nothing of a person."""

from tests.workflows.conftest import Plays
from tests.workflows.orders import one_parcel_order, order_message

NAME, PHONE, STREET, BUYER = "Canary Zhou", "13700001234", "77 Canary Road", "b-canary-77"


async def test_what_is_shown_of_an_order_without_its_history_names_nobody(plays: Plays) -> None:
    address = order_message()["address"] | {"recipient": NAME, "phone": PHONE, "street": STREET}
    async with plays() as play:
        await play.start_paid(one_parcel_order(address=address, buyer={"buyer_id": BUYER}))
        await play.ships(1)
        shown = (await play.handle.describe()).raw_description
        said = shown.workflow_execution_info.SerializeToString() + shown.pending_activities.__repr__().encode()
        assert play.order.order_no.encode() in said and b"OmsStatus" in said
        for word in (NAME, PHONE, STREET, BUYER):
            assert word.encode() not in said
        assert await play.finish() == "COMPLETED"
