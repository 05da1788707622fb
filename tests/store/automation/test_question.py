"""Who decides about automations that end, and what everybody hears when one person stops all of them."""

from datetime import UTC, datetime

import pytest

from domain.access.controls import PublishAutomations
from domain.approvals import Role
from domain.automation.model import ApprovalAct, Automation, AutomationBook
from store.automation.desk import AutomationDesk
from store.automation.question import book_question
from store.pool import Pool
from store.tickets.tickets import TicketStore
from tests.store.automation.test_running import BIG, TAGGED, publish

FINANCE = BIG.model_copy(update={"id": "very-big", "do": ApprovalAct(role=Role.FINANCE, question="really?")})


@pytest.mark.parametrize(("kept", "decides"), [((FINANCE,), Role.ORDER_OPS), ((BIG,), Role.FINANCE)])
async def test_what_holds_or_asks_no_more_is_told_to_who_decides_finance_where_it_was_asked(
    pool: Pool, kept: tuple[Automation, ...], decides: Role
) -> None:
    await publish(pool, BIG, FINANCE, TAGGED)
    wanted = PublishAutomations(book=AutomationBook(automations=kept))
    async with pool.acquire() as connection:
        question = await book_question(connection, wanted, datetime.now(UTC))
    assert question.role is decides and len(question.looser) == 1


async def test_when_one_person_stops_what_keeps_orders_a_ticket_tells_all_others(pool: Pool) -> None:
    await publish(pool, BIG, TAGGED)
    assert await AutomationDesk(pool).stop("it holds everything", "u-sup", datetime.now(UTC))
    (told,) = await TicketStore(pool).list()
    assert told.severity == "urgent" and "u-sup" in told.error and "big-ones" in told.error


async def test_when_nothing_kept_orders_nobody_is_told(pool: Pool) -> None:
    await publish(pool, TAGGED)
    assert await AutomationDesk(pool).stop("noise", "u-sup", datetime.now(UTC))
    assert await TicketStore(pool).list() == ()
