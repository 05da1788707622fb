"""What finance does beside looking at lists: has the books compared now, and sees which money waits for whom."""

import re
from collections.abc import AsyncIterator
from datetime import date, timedelta
from typing import Any

import pytest
import pytest_asyncio
from temporalio.service import RPCError, RPCStatusCode

from domain.approvals import Role, ask
from starter.clients.comparing import ComparisonNotAsked, compare_now
from store.approvals.approvals import ApprovalStore
from store.polling.measures import MeasureStore
from store.polling.reconciling import ReconcileStore
from store.pool import Pool
from tests.console.office import Desk, a_desk, hire
from tests.console.test_goods_and_money import paid
from tests.console.test_tickets import english
from tests.store.examples import NOW
from workflows.loops.reconciliation import DAILY_WORKFLOW_ID, MOST_CALLED

DAY = date(2026, 3, 2)


class Loop:
    """The nightly loop, as far as it can be called."""

    def __init__(self) -> None:
        self.called: list[tuple[str, str]] = []
        self.refuses: RPCError | None = None

    def get_workflow_handle(self, workflow_id: str) -> "Loop":
        self.workflow_id = workflow_id
        return self

    async def signal(self, name: str, *, rpc_timeout: timedelta) -> None:
        if self.refuses is not None:
            raise self.refuses
        self.called.append((self.workflow_id, name))


@pytest.fixture
def loop() -> Loop:
    return Loop()


@pytest_asyncio.fixture
async def calling(database_url: str, pool: Pool, loop: Loop) -> AsyncIterator[Desk]:
    async def there() -> Any:
        return loop

    await hire(pool)
    async with a_desk(database_url, pool, there) as desk:
        yield desk


async def test_a_comparison_is_begun_by_a_button_so_often_a_day_and_by_no_other_role(calling: Desk, loop: Loop) -> None:
    browser = await english(calling, "finance")
    for _ in range(MOST_CALLED):
        answer = await browser.post("/finance/differences/run")
        assert (answer.status_code, answer.headers["location"]) == (303, "/finance/differences?said=asked")
    assert loop.called == [(DAILY_WORKFLOW_ID, "run_now")] * MOST_CALLED
    assert "The comparison has begun" in (await browser.get("/finance/differences?said=asked")).text
    once_more = await browser.post("/finance/differences/run")
    assert once_more.status_code == 409 and "as often as a day allows" in once_more.text
    assert len(loop.called) == MOST_CALLED == len(await calling.audit("reconcile.asked"))
    other = await english(calling, "warehouse")
    assert (await other.post("/finance/differences/run")).status_code == 403 and len(loop.called) == MOST_CALLED


@pytest.mark.parametrize(
    ("status", "type"), [(RPCStatusCode.NOT_FOUND, "NotRunning"), (RPCStatusCode.UNAVAILABLE, "NoAnswer")]
)
async def test_a_comparison_that_was_not_asked_says_so(loop: Loop, status: RPCStatusCode, type: str) -> None:
    loop.refuses = RPCError("gone", status, b"")
    with pytest.raises(ComparisonNotAsked) as refused:
        await compare_now(loop, 0)  # type: ignore[arg-type]
    assert refused.value.type == type


async def test_a_compared_day_keeps_how_well_it_went_and_another_day_claims_nothing(desk: Desk) -> None:
    await paid(desk.books, "SO1001", "taobao", 2)
    day = NOW.date()
    await ReconcileStore(desk.books).done(day, 1, 2, 0, NOW)
    measures = MeasureStore(desk.books)
    kept, anew = await measures.day(day, anew=False), await measures.day(day)
    assert kept == anew and [(d.channel, d.paid, d.delayed) for d in kept.delays] == [("wechat", 2, 0)]
    await paid(desk.books, "SO1002", "taobao", 1)
    assert (await measures.day(day, anew=False)).delays == kept.delays, "until it is compared again"
    await ReconcileStore(desk.books).done(day, 1, 2, 0, NOW)
    assert (await measures.day(day, anew=False)).delays == (await measures.day(day)).delays
    assert (await measures.day(day + timedelta(days=1), anew=False)).delays == ()


async def waits(books: Pool, number: str, order_no: str, status: str, hours: int) -> None:
    await books.execute(
        """INSERT INTO refunds (refund_no, order_no, amount_minor, status, seq, reason, units, requested_at, updated_at)
            VALUES ($1, $2, 1050, $3, 1, 'x', '{}', $4, $4)""",
        number, order_no, status, NOW - timedelta(hours=hours),
    )  # fmt: skip


async def test_money_that_waits_to_go_back_says_since_when_and_whose_turn_it_is_within_ones_shops(desk: Desk) -> None:
    books = desk.books
    for n, channel in enumerate(("taobao", "taobao", "taobao", "taobao", "jd")):
        await paid(books, f"SO100{n}", channel)
    for n, (number, status) in enumerate(
        [("RA", "REQUESTED"), ("RB", "ACCEPTED"), ("RC", "ABNORMAL"), ("RD", "REQUESTED"), ("RE", "ACCEPTED")]
    ):
        await waits(books, number, f"SO100{n}", status, hours=10 - n)
    await waits(books, "RZ", "SO1000", "SUCCEEDED", hours=90)
    await books.execute(
        """INSERT INTO chargebacks (chargeback_id, payment_key, order_no, amount_minor, overlap_minor, opened_at)
            VALUES ('CB', 'P-SO1003-0', 'SO1003', 1, 0, $1)""",
        NOW,
    )
    asked = ask(
        "refund_payout", subject="RT1", n=1, version=1, role=Role.FINANCE, requested_by="u-cs",
        content={"amount_minor": 1234}, order_no="SO1000",
    )  # fmt: skip
    await ApprovalStore(books).open(asked, None, NOW)
    browser = await english(desk, "finance")
    page = (await browser.get("/finance/payouts")).text
    shown = re.findall(r'<a class="fw-bold text-break" href="([^"]+)"', page)
    assert shown == [f"/orders/SO100{n}" for n in range(5)] + [f"/approvals/{asked.approval_id}"], "longest first"
    for turn in ("Being sent", "The channel pays it out", "A person has to look", "The bank decides the dispute"):
        assert turn in page
    assert "CN¥12.34" in page and "RZ" not in page
    narrowed = (await browser.get("/finance/payouts?turn=bank")).text
    assert ">RD<" in narrowed and ">RA<" not in narrowed
    assert (await browser.get("/finance/payouts?turn=nobody")).status_code == 400
    await books.execute("INSERT INTO person_scopes VALUES ('finance', 'channel', 'jd')")
    page = (await browser.get("/finance/payouts")).text
    assert ">RE<" in page and ">RA<" not in page and "CN¥12.34" not in page
