"""One set of payment activities over two real protocols: the same words come out, whoever is behind."""

import asyncio
from collections.abc import AsyncIterator, Awaitable, Callable
from dataclasses import dataclass, replace
from datetime import UTC, datetime, timedelta
from typing import Any

import pytest
from temporalio.exceptions import ApplicationError
from temporalio.testing import ActivityEnvironment

from activities.messages import (
    FULL,
    CreatePayment,
    PaymentCreated,
    PaymentQuery,
    PaymentState,
    RefundCall,
    RefundState,
)
from activities.payment import MOST_AT_ONCE, PaymentActivities
from activities.payment_channels import AlipayChannel, PaymentChannel, WechatChannel
from domain.facts import Kind
from domain.order import PayChannel
from tests.providers import alipay_world, wechat_world

NO = "ORD-000001"
PAID = 12900
CHANNELS: tuple[PayChannel, ...] = ("wechat", "alipay")


@dataclass
class Shop:
    """`world`: the sandbox behind, with its own doors."""

    channel: PayChannel
    world: Any
    payment: PaymentActivities

    async def run(self, activity: Callable[..., Any], call: Any, attempt: int = 1) -> Any:
        env = ActivityEnvironment()
        env.info = replace(env.info, attempt=attempt)
        return await env.run(activity, call)

    async def create(self) -> PaymentCreated:
        call = CreatePayment(
            backoff_s=(1,), channel=self.channel, order_no=NO, method="native", description="Order", amount_minor=PAID,
            currency="CNY", expires_at=self.world.clock.now + timedelta(minutes=30),
        )  # fmt: skip
        created: PaymentCreated = await self.run(self.payment.create, call)
        return created

    async def ask(self, activity: Callable[..., Any]) -> PaymentState:
        state: PaymentState = await self.run(activity, PaymentQuery(backoff_s=(1,), channel=self.channel, order_no=NO))
        return state

    async def refund(self, activity: Callable[..., Any], attempt: int = 1) -> RefundState:
        call = RefundCall(
            backoff_s=(1,), channel=self.channel, order_no=NO, refund_no="R-1", amount_minor=900, paid_minor=PAID,
            currency="CNY", reason="x" * 75,
        )  # fmt: skip
        state: RefundState = await self.run(activity, call, attempt)
        return state


class RefundsAsKept:
    """Books that have reserved whatever is asked for, or say why not; what the real ones say:
    tests/store/test_reserved_refunds.py. `transaction`: of the payment, where it has another number than the order."""

    def __init__(self, why: str = "", transaction: str | None = None) -> None:
        self.why, self.transaction = why, transaction
        self.asked: list[tuple[object, ...]] = []

    async def why_not(self, *asked: object) -> str:
        self.asked.append(asked)
        return self.why

    async def transaction_of(self, refund_no: str) -> str | None:
        return self.transaction


reserved = RefundsAsKept()


@pytest.fixture
async def wechat() -> AsyncIterator[Shop]:
    async with wechat_world.world() as world:
        channel = WechatChannel(world.pay, world.config.mchid, world.clock)
        yield Shop("wechat", world, PaymentActivities({"wechat": channel}, reserved))


@pytest.fixture
async def alipay() -> AsyncIterator[Shop]:
    async with alipay_world.world() as world:
        channel = AlipayChannel(world.pay, world.config.seller_id, world.clock)
        yield Shop("alipay", world, PaymentActivities({"alipay": channel}, reserved))


@pytest.fixture(params=CHANNELS)
def shop(request: pytest.FixtureRequest) -> Shop:
    found: Shop = request.getfixturevalue(request.param)
    return found


async def test_a_payment_is_created_paid_and_found_under_the_channels_own_key(shop: Shop) -> None:
    assert (await shop.create()).code
    await shop.world.buyer_pays(NO)
    state = await shop.ask(shop.payment.query)
    assert state.state == "PAID" and state.fact is not None
    assert state.fact.kind is Kind.PAYMENT_SUCCEEDED
    assert (state.fact.order_no, state.fact.amount_minor, state.fact.currency) == (NO, PAID, "CNY")
    assert state.fact.key == f"{shop.channel}:pay:{state.fact.transaction_id}"


async def test_what_was_never_created_is_absent(shop: Shop) -> None:
    assert (await shop.ask(shop.payment.query)).state == "ABSENT"


async def test_closing_ends_an_unpaid_payment(shop: Shop) -> None:
    await shop.create()
    assert (await shop.ask(shop.payment.close)).state == "CLOSED"


async def test_a_buyer_who_is_faster_than_the_closing_has_paid(shop: Shop) -> None:
    await shop.create()
    await shop.world.buyer_pays(NO)
    state = await shop.ask(shop.payment.close)
    assert state.state == "PAID" and state.fact is not None


async def test_alipay_knows_a_trade_only_after_the_scan(alipay: Shop) -> None:
    await alipay.create()
    assert (await alipay.ask(alipay.payment.query)).state == "ABSENT"
    await alipay.world.buyer_scans(NO)
    assert (await alipay.ask(alipay.payment.query)).state == "UNPAID"
    assert (await alipay.ask(alipay.payment.close)).state == "CLOSED"
    assert (await alipay.ask(alipay.payment.query)).state == "CLOSED"
    assert (await alipay.ask(alipay.payment.close)).state == "CLOSED"


async def test_a_refund_asked_for_twice_goes_back_once(shop: Shop) -> None:
    await shop.create()
    await shop.world.buyer_pays(NO)
    await shop.refund(shop.payment.refund)
    again = await shop.refund(shop.payment.refund, attempt=2)
    assert again.state in ("PROCESSING", "SUCCEEDED")
    assert shop.world.rows("refund") == 1


async def test_an_alipay_refund_that_moved_money_has_succeeded(alipay: Shop) -> None:
    await alipay.create()
    await alipay.world.buyer_pays(NO)
    state = await alipay.refund(alipay.payment.refund)
    assert state.state == "SUCCEEDED" and state.fact is not None
    assert (state.fact.key, state.fact.amount_minor) == ("alipay:refund:R-1:SUCCESS", 900)
    assert (await alipay.refund(alipay.payment.query_refund)).fact == state.fact


@pytest.mark.parametrize("attempt", [1, 2])
async def test_an_alipay_refund_that_never_arrived_is_asked_for_by_its_query(alipay: Shop, attempt: int) -> None:
    await alipay.create()
    await alipay.world.buyer_pays(NO)
    activity = alipay.payment.query_refund if attempt == 1 else alipay.payment.refund
    assert (await alipay.refund(activity, attempt)).state == "SUCCEEDED"
    assert alipay.world.rows("refund") == 1


async def test_an_alipay_refund_that_failed_is_repeated_under_its_number(alipay: Shop) -> None:
    await alipay.create()
    await alipay.world.buyer_pays(NO)
    alipay.world.arm("refund", "fails")
    assert (await alipay.refund(alipay.payment.refund)).state == "PROCESSING"
    state = await alipay.refund(alipay.payment.query_refund)
    while state.state == "PROCESSING":
        state = await alipay.refund(alipay.payment.query_refund)
    assert state.state == "SUCCEEDED"
    assert [row.key for row in alipay.world.server.box.ledger.find(op="refund")] == ["R-1", "R-1"]


@pytest.mark.parametrize("activity", ["refund", "query_refund", "refund_outcome"])
async def test_what_the_books_have_not_reserved_never_reaches_the_channel(shop: Shop, activity: str) -> None:
    await shop.create()
    await shop.world.buyer_pays(NO)
    never = RefundsAsKept("refund R-1 is not in the books")
    shop.payment = PaymentActivities(shop.payment._channels, never)
    with pytest.raises(ApplicationError, match="R-1 is not in the books") as refused:
        await shop.refund(getattr(shop.payment, activity))
    assert refused.value.non_retryable and refused.value.type == "refused"
    assert never.asked == [("R-1", NO, 900, "CNY", shop.channel)]
    assert shop.world.rows("refund") == 0


async def test_a_payment_that_the_channel_has_under_another_number_is_found_by_its_own(shop: Shop) -> None:
    """A marketplace took it: there is no payment under the order's number."""
    await shop.create()
    await shop.world.buyer_pays(NO)
    paid = (await shop.ask(shop.payment.query)).fact
    assert paid is not None
    shop.payment = PaymentActivities(shop.payment._channels, RefundsAsKept(transaction=paid.transaction_id))
    call = RefundCall(
        backoff_s=(1,), channel=shop.channel, order_no="ORD-OF-OURS", refund_no="R-1", amount_minor=900,
        paid_minor=PAID, currency="CNY", reason="",
    )  # fmt: skip
    state = await shop.run(shop.payment.refund, call)
    assert state.state in ("SUCCEEDED", "PROCESSING") and shop.world.rows("refund") == 1


@pytest.mark.parametrize("channel", CHANNELS)
async def test_a_channel_that_is_not_configured_is_refused_for_good_and_named(channel: PayChannel) -> None:
    none: dict[PayChannel, PaymentChannel] = {}
    shop = Shop(channel, None, PaymentActivities(none, reserved))
    with pytest.raises(ApplicationError, match=f"OMS_{channel.upper()}_BASE_URL") as refused:
        await shop.ask(shop.payment.query)
    assert refused.value.non_retryable and refused.value.type == "refused"


class Hanging:
    """A channel that does not answer until it is told to."""

    def __init__(self) -> None:
        self.answers = asyncio.Event()

    async def create(self, call: CreatePayment) -> str:
        await self.answers.wait()
        return "code"


async def test_a_channel_that_hangs_holds_a_part_of_the_workflow_tasks_and_no_ordinary_call() -> None:
    """A try at once is a local activity: its workflow task waits for it."""
    hanging = Hanging()
    payment = PaymentActivities({"wechat": hanging}, RefundsAsKept())  # type: ignore[dict-item]
    call = CreatePayment(
        backoff_s=(1,), order_no=NO, method="native", description="Order", amount_minor=PAID, currency="CNY",
        expires_at=datetime.now(UTC),
    )  # fmt: skip

    def run(*, local: bool) -> Awaitable[PaymentCreated]:
        env = ActivityEnvironment()
        env.info = replace(env.info, is_local=local)
        return env.run(payment.create, call)

    waiting = [asyncio.ensure_future(run(local=True)) for _ in range(MOST_AT_ONCE)]
    waiting.append(asyncio.ensure_future(run(local=False)))
    await asyncio.sleep(0)
    with pytest.raises(ApplicationError) as full:
        await run(local=True)
    assert full.value.type == FULL
    hanging.answers.set()
    assert {answer.code for answer in await asyncio.gather(*waiting)} == {"code"}
    assert (await run(local=True)).code == "code"
