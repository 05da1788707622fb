"""Tickets of after-sales cases: whose they are, who is told, and that nobody answers them past their workflow."""

import json

import pytest

from domain.outbound.published import EventType, SubscriberRole
from domain.records import TicketRecord, TicketResolution
from domain.returns.enums import CaseStatus
from store.errors import NoSuchTicket
from store.orders.orders import OrderStore
from store.outbound.subscriptions import SubscriptionStore
from store.pool import Pool
from store.returns import ReturnStore
from store.stock.ledger import StockStore
from store.tickets.tickets import TicketStore
from tests.store.cases import LATER, a_case, a_case_write, an_arrived_order
from tests.store.examples import a_write

TICKET = TicketRecord(ticket_id="T-RT20261120-1", system="wechat", step="refund", error="HTTP 503")
ANSWER = TicketResolution(ticket_id=TICKET.ticket_id, action="give_up", remark="paid by hand", resolved_by="ops")


@pytest.fixture
async def returns(pool: Pool, orders: OrderStore, stock: StockStore) -> ReturnStore:
    """With an open case that has opened a ticket."""
    await an_arrived_order(orders, stock)
    await SubscriptionStore(pool).add(
        "desk", SubscriberRole.OTHER, "http://x", "OMS_SUBSCRIPTION_X", (EventType.TICKET_OPENED,), "anna", LATER
    )
    store = ReturnStore(pool)
    case = await a_case(store, pool)
    await store.write(a_case_write(case.return_no, seq=1, tickets=(TICKET,)))
    return store


async def test_a_ticket_knows_the_case_that_opened_it(returns: ReturnStore, pool: Pool) -> None:
    assert await TicketStore(pool).case_of(TICKET.ticket_id) == "RT20261120"
    assert await TicketStore(pool).case_of("T-SO20261120-1") is None


async def test_its_opening_is_published_and_noticed_once(returns: ReturnStore, pool: Pool) -> None:
    await returns.write(a_case_write(seq=2, tickets=(TICKET,)))
    (body,) = await pool.fetch("SELECT body FROM outbox WHERE type = 'ticket.opened'")
    assert json.loads(body["body"])["data"]["ticket_id"] == TICKET.ticket_id
    assert await pool.fetchval("SELECT count(*) FROM ticket_notices") == 1


async def test_nobody_answers_it_past_an_open_case_even_when_the_order_has_ended(
    returns: ReturnStore, orders: OrderStore, pool: Pool
) -> None:
    await orders.write(a_write(seq=90, ended=True))
    with pytest.raises(NoSuchTicket):
        await TicketStore(pool).resolve_outside(ANSWER, LATER)
    await returns.write(a_case_write(seq=2, status=CaseStatus.CANCELLED_BY_BUYER, ended=True))
    await TicketStore(pool).resolve_outside(ANSWER, LATER)
