"""Other systems hear of a return as of its order: from application to its end, each change once."""

import json
from datetime import timedelta

from domain.outbound.published import PAYLOADS, EventType, SubscriberRole
from domain.returns.enums import CaseStatus
from domain.strict import parse
from store.orders.orders import OrderStore
from store.outbound.subscriptions import SubscriptionStore
from store.pool import Pool
from store.returns import ReturnStore
from store.stock.ledger import StockStore
from tests.store.cases import LATER, a_case, a_case_write, an_arrived_order


async def test_each_change_of_a_return_is_told_once_and_a_late_write_tells_nothing(
    pool: Pool, orders: OrderStore, stock: StockStore
) -> None:
    await an_arrived_order(orders, stock)
    await SubscriptionStore(pool).add(
        "crm", SubscriberRole.OTHER, "http://x", "OMS_SUBSCRIPTION_X", (EventType.RETURN_STATUS,), "anna", LATER
    )
    store = ReturnStore(pool)
    number = (await a_case(store, pool)).return_no
    review = a_case_write(number, seq=2, status=CaseStatus.SUPERVISOR_REVIEW)
    waiting = a_case_write(number, seq=3, status=CaseStatus.WAITING_RETURN, at=review.at + timedelta(hours=1))
    for write in (review, review, waiting, review):
        await store.write(write)
    told = [json.loads(row["body"]) for row in await pool.fetch("SELECT body FROM outbox ORDER BY id")]
    assert [(e["data"]["from_status"], e["data"]["to_status"]) for e in told] == [
        (None, "APPLIED"), ("APPLIED", "SUPERVISOR_REVIEW"), ("SUPERVISOR_REVIEW", "WAITING_RETURN"),
    ]  # fmt: skip
    for event in told:
        parse(PAYLOADS[EventType(event["type"])], json.dumps(event["data"]))
    assert {e["data"]["return_no"] for e in told} == {number}
