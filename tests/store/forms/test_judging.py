"""The shop's own forms are asked at the one place where every door's application is judged (R75)."""

from datetime import UTC, datetime, timedelta
from typing import Any

import pytest

from domain.approvals import Role, ask
from domain.returns.enums import Reason, ReturnType
from domain.returns.forms import FormBook, FormField, FormRule, GoodsMatch, SlipNumbers, Words
from domain.returns.refusals import Code
from store.approvals.approvals import open_approval
from store.automation.books import publish_book
from store.forms.judging import slip_number_of
from store.orders.orders import OrderStore
from store.pool import Pool
from store.returns import ReturnStore
from store.returns.errors import ReturnRefused
from store.returns.quoting import quote_return
from store.stock.ledger import StockStore
from tests.store.cases import LATER, POLICY, an_application, an_arrived_order, an_upload

FRESH = FormRule(
    id="fresh", name=Words(zh="生鲜", en="fresh food"), goods=GoodsMatch(sku_begins=("A",)), without_reason=False,
    pictures=2, pictures_for=(Reason.DAMAGED,),
    fields=(FormField(id="batch_no", kind="number", label=Words(zh="批号", en="batch number")),),
)  # fmt: skip
BOOK = FormBook(rules=(FRESH,), slips=SlipNumbers(prefix="TH", digits=4))
ANSWERED = {"batch_no": "20261120"}


async def publish(pool: Pool, book: FormBook, at: datetime, n: int = 1) -> None:
    content = book.model_dump(mode="json", exclude={"version"})
    request = ask(
        "publish_forms", subject="forms", n=n, version=n, role=Role.CS_SUPERVISOR, requested_by="u-1",
        content={"change": {"book": book.model_dump(mode="json")}},
    )  # fmt: skip
    async with pool.acquire() as connection, connection.transaction():
        await connection.execute("INSERT INTO people VALUES ('u-2', 'local', true, now()) ON CONFLICT DO NOTHING")
        await open_approval(connection, request, None, at)
        await connection.execute(
            "UPDATE approvals SET state = 'approved', decided_at = $2, decided_by = 'u-2', decided_role = role, "
            "remark = 'yes' WHERE approval_id = $1", request.approval_id, at,
        )  # fmt: skip
        await publish_book(
            connection, "forms", content, {}, based_on=n - 1, by="u-2", approval_id=request.approval_id, at=at
        )


async def against(returns: ReturnStore, pool: Pool, return_no: str = "RT20261120", **changes: Any) -> list[Code]:
    application = an_application(return_no, **changes)
    if not await pool.fetchval("SELECT count(*) FROM return_evidence WHERE return_no = $1", return_no):
        await an_upload(pool, application)
    try:
        await returns.admit(application, "run-1", LATER, POLICY)
    except ReturnRefused as why:
        return [r.code for r in why.refusals]
    return []


@pytest.fixture
def returns(pool: Pool) -> ReturnStore:
    return ReturnStore(pool)


async def test_what_is_asked_is_todays_and_what_takes_a_right_away_counts_for_later_orders(
    pool: Pool, orders: OrderStore, stock: StockStore, returns: ReturnStore
) -> None:
    await an_arrived_order(orders, stock)
    await publish(pool, BOOK, LATER - timedelta(hours=1))
    assert await against(returns, pool) == [Code.FORM_INCOMPLETE], "placed before: it may come back without a reason"
    assert await against(returns, pool, answers={"batch_no": "as printed"}) == [Code.FORM_INCOMPLETE]
    assert await against(returns, pool, answers=ANSWERED | {"colour": "red"}) == [Code.FORM_INCOMPLETE]
    damaged: dict[str, Any] = {"reason": Reason.DAMAGED, "answers": ANSWERED}
    assert await against(returns, pool, **damaged) == [Code.EVIDENCE_REQUIRED]
    quoted = await quote_return(pool, an_application(reason=Reason.DAMAGED), LATER)
    assert quoted.quote is not None and {r.code for r in quoted.refusals} == {
        Code.EVIDENCE_REQUIRED, Code.FORM_INCOMPLETE,
    }, "a page says it before it is sent"  # fmt: skip
    assert await against(returns, pool, answers=ANSWERED) == []
    assert await slip_number_of(pool, "RT20261120") == "TH2026110001"
    assert await against(returns, pool, return_no="RT20261121", lines={"L2": 1}) == [], (
        "of other goods nothing is asked"
    )
    assert await slip_number_of(pool, "RT20261121") == "TH2026110002"


async def test_goods_that_come_back_for_a_defect_only(
    pool: Pool, orders: OrderStore, stock: StockStore, returns: ReturnStore
) -> None:
    await publish(pool, BOOK, datetime(2026, 11, 1, tzinfo=UTC))
    await an_arrived_order(orders, stock)
    assert await against(returns, pool, answers=ANSWERED) == [Code.NOT_RETURNABLE]
    only: dict[str, Any] = {"type": ReturnType.REFUND_ONLY, "answers": ANSWERED}
    assert await against(returns, pool, reason=Reason.DISLIKED, **only) == [Code.NOT_RETURNABLE]
    assert await against(returns, pool, reason=Reason.QUALITY_PROBLEM, **only) == []
    await pool.execute("UPDATE orders SET erased_at = now()")
    assert await pool.fetchval("SELECT application -> 'answers' FROM return_cases") is None
