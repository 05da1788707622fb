"""Automations do what their trial says, once for an order, however often and in whatever order they are told of it."""

import asyncio
import itertools
from datetime import UTC, datetime, timedelta
from typing import Any

import pytest

from domain.approvals import Role, ask
from domain.automation.acts import HoldAct, RefundAct
from domain.automation.model import (
    ApprovalAct,
    Automation,
    AutomationBook,
    NotifyAct,
    TagAct,
    Trigger,
    TriggerMoment,
    WebhookAct,
)
from domain.policy import Policy
from domain.records import SettlePayment
from store.approvals.approvals import open_approval
from store.automation.desk import AutomationDesk, publish_automations
from store.automation.running import AutomationRunner
from store.errors import AutomationRefused, BookOvertaken
from store.orders.orders import OrderStore
from store.pool import Pool
from tests.store.examples import a_payment, a_write, an_order

BIG = Automation(
    id="big-ones", name="above 80 yuan", on=TriggerMoment(trigger=Trigger.PAID),
    condition="channel == 'shop' and amount_minor > 8000", do=HoldAct(reason="somebody looks first"),
)  # fmt: skip
TAGGED = Automation(
    id="zhejiang", name="near", on=TriggerMoment(trigger=Trigger.PAID), condition="province == '浙江省'",
    do=TagAct(tag="near"),
)  # fmt: skip
DUE = Automation(id="late-today", name="due", on=TriggerMoment(trigger=Trigger.DEADLINE, at="16:00"),
                 do=NotifyAct(severity="urgent", text="promised for today"))  # fmt: skip
LOOK = timedelta(minutes=1)


def soon() -> datetime:
    return datetime.now(UTC) + timedelta(seconds=1)


async def publish(pool: Pool, *automations: Automation, based_on: int = 0, at: datetime | None = None) -> int:
    """As two people would; what they are asked is in the tests of the controls."""
    book, now = AutomationBook(automations=automations), at or datetime.now(UTC)
    for one in automations:
        await AutomationDesk(pool).try_on_past(one, 1, "u-ed", now)
    request = ask(
        "publish_automations", subject="automations", n=based_on + 1, version=based_on + 1, role=Role.ORDER_OPS,
        requested_by="u-ed", content={"change": {"book": book.model_dump(mode="json")}},
    )  # fmt: skip
    async with pool.acquire() as connection, connection.transaction():
        await connection.execute("INSERT INTO people (person_id, source, created_at) VALUES ('u-ops', 'local', now()) "
                                 "ON CONFLICT DO NOTHING")  # fmt: skip
        await open_approval(connection, request, None, now)
        await connection.execute(
            "UPDATE approvals SET state = 'approved', decided_at = $2, decided_by = 'u-ops', decided_role = role, "
            "remark = 'yes' WHERE approval_id = $1", request.approval_id, now,
        )  # fmt: skip
        return await publish_automations(
            connection, book, based_on=based_on, by="u-ops", approval_id=request.approval_id, at=now
        )


async def paid(orders: OrderStore, *numbers: str, **changes: Any) -> None:
    for number in numbers:
        await orders.register(an_order(number, **changes), "run-1", datetime.now(UTC))
        payment = a_payment(number).model_copy(update={"paid_at": datetime.now(UTC)})
        write = a_write(number, payment=payment, at=datetime.now(UTC))
        await orders.settle(SettlePayment(write=write, policy=Policy()))


async def done(pool: Pool) -> list[tuple[str, str, str]]:
    rows = await pool.fetch("SELECT automation_id, order_no, state FROM automation_runs ORDER BY 1, 2")
    return [tuple(row) for row in rows]


async def told(pool: Pool) -> list[str]:
    return [row["event_id"] for row in await pool.fetch("SELECT event_id FROM inbox ORDER BY event_id")]


async def test_a_trial_says_exactly_what_the_run_then_does(pool: Pool, orders: OrderStore) -> None:
    await publish(pool, BIG, TAGGED)
    await paid(orders, "SO20261121", "SO20261122")
    await paid(orders, "SO20261123", channel="other")
    tried = {
        one.id: [row["order_no"] for row in (await AutomationDesk(pool).try_on_past(one, 1, "u-ed", soon())).would_do]
        for one in (BIG, TAGGED)
    }
    assert tried == {"big-ones": ["SO20261121", "SO20261122"],
                     "zhejiang": ["SO20261121", "SO20261122", "SO20261123"]}  # fmt: skip
    assert await AutomationRunner(pool).look(soon()) == 5
    really = {
        name: [no for _, no, _ in some] for name, some in itertools.groupby(await done(pool), key=lambda row: row[0])
    }
    assert really == tried
    assert await told(pool) == ["automation:big-ones:SO20261121", "automation:big-ones:SO20261122"]
    row = (await AutomationDesk(pool).runs(automation_id="big-ones"))[0]
    assert (row.facts, row.version, row.state) == ({"amount_minor": 10200, "channel": "shop"}, 1, "done")


async def test_told_twice_late_permuted_and_by_several_at_once_an_order_is_done_something_to_once(
    pool: Pool, orders: OrderStore
) -> None:
    await publish(pool, BIG)
    numbers = [f"SO2026113{n}" for n in range(6)]
    await paid(orders, *numbers)
    await pool.execute(
        "INSERT INTO automation_events (trigger, order_no, ref, at) "
        "SELECT e.trigger, e.order_no, e.ref, e.at FROM automation_events e, generate_series(1, 4) ORDER BY random()"
    )
    await asyncio.gather(*(AutomationRunner(pool).look(soon()) for _ in range(3)))
    await AutomationRunner(pool).look(soon())
    assert await done(pool) == [("big-ones", number, "done") for number in numbers]
    assert await told(pool) == [f"automation:big-ones:{number}" for number in numbers]
    assert await pool.fetchval("SELECT count(*) FROM automation_events") == 0


async def test_what_dies_between_claim_and_act_leaves_neither(
    pool: Pool, orders: OrderStore, monkeypatch: pytest.MonkeyPatch
) -> None:
    await publish(pool, BIG)
    await paid(orders, "SO20261121")
    with monkeypatch.context() as broken:

        async def dies(*_: Any) -> Any:
            raise RuntimeError("the worker died")

        broken.setattr("store.automation.running.act", dies)
        assert await AutomationRunner(pool).look(soon()) == 0
    assert (await done(pool), await told(pool)) == ([], [])
    assert await AutomationRunner(pool).look(soon() + timedelta(minutes=1)) == 1
    assert await told(pool) == ["automation:big-ones:SO20261121"]


async def test_the_switch_stops_all_at_once_and_what_happened_meanwhile_is_not_made_up(
    pool: Pool, orders: OrderStore
) -> None:
    await publish(pool, BIG, TAGGED)
    await paid(orders, "SO20261121")
    assert await AutomationDesk(pool).stop("it holds everything", "u-sup", datetime.now(UTC))
    assert not await AutomationDesk(pool).stop("again", "u-sup", datetime.now(UTC))
    await paid(orders, "SO20261122")
    assert await AutomationRunner(pool).look(soon()) == 0
    await publish(pool, BIG, TAGGED, based_on=1)
    await paid(orders, "SO20261123")
    await AutomationRunner(pool).look(soon())
    assert {number for _, number, _ in await done(pool)} == {"SO20261123"}


async def test_what_happened_before_a_version_is_none_of_its_business(pool: Pool, orders: OrderStore) -> None:
    await publish(pool, TAGGED)
    await paid(orders, "SO20261121")
    await publish(pool, TAGGED, BIG, based_on=1)
    await paid(orders, "SO20261122")
    await AutomationRunner(pool).look(soon())
    assert await done(pool) == [
        ("big-ones", "SO20261122", "done"), ("zhejiang", "SO20261121", "done"), ("zhejiang", "SO20261122", "done"),
    ]  # fmt: skip


async def test_promised_for_today_is_told_from_its_time_on_once(pool: Pool, orders: OrderStore) -> None:
    at_noon = datetime(2026, 11, 20, 4, tzinfo=UTC)
    await publish(pool, DUE, at=at_noon)
    await paid(orders, "SO20261121", "SO20261122")
    await pool.execute("UPDATE orders SET dispatch_by = '2026-11-20 15:59+00' WHERE order_no = 'SO20261121'")
    await pool.execute("UPDATE orders SET dispatch_by = '2026-11-20 16:01+00' WHERE order_no = 'SO20261122'")
    runner, four = AutomationRunner(pool), datetime(2026, 11, 20, 8, tzinfo=UTC)
    assert await runner.look(four - LOOK) == 0
    assert await runner.look(four + LOOK) == 1
    assert await runner.look(four + timedelta(hours=2)) == 0
    tickets = await pool.fetch("SELECT ticket_id, severity FROM tickets WHERE system = 'automation'")
    assert [tuple(row) for row in tickets] == [("T-auto-late-today-SO20261121", "urgent")]
    assert await runner.look(four + timedelta(days=1, hours=1)) == 1, "the other is promised for the day after"


async def test_who_is_asked_lets_it_go_or_not(pool: Pool, orders: OrderStore) -> None:
    question = ApprovalAct(role=Role.ORDER_OPS, question="all right?")
    asks = Automation(id="asks", name="asks", on=TriggerMoment(trigger=Trigger.PAID), do=question)
    await publish(pool, asks)
    await paid(orders, "SO20261121", "SO20261122")
    await AutomationRunner(pool).look(soon())
    assert {state for _, _, state in await done(pool)} == {"asked"}
    for number, word in (("SO20261121", "approved"), ("SO20261122", "rejected")):
        await pool.execute(
            "UPDATE approvals SET state = $2, decided_at = now(), decided_by = 'u-ops', decided_role = role, "
            "remark = 'seen' WHERE approval_id = $1", f"A-automation/asks/{number}-1", word,
        )  # fmt: skip
    await AutomationRunner(pool).look(soon())
    await AutomationRunner(pool).look(soon())
    assert await done(pool) == [("asks", "SO20261121", "done"), ("asks", "SO20261122", "not_done")]
    assert await told(pool) == [
        "automation:asks:SO20261121", "automation:asks:SO20261121:agreed", "automation:asks:SO20261122",
    ]  # fmt: skip
    assert await pool.fetchval("SELECT order_no FROM tickets WHERE system = 'automation'") == "SO20261122"


async def test_nothing_that_moves_goods_or_money_is_published_untried(pool: Pool) -> None:
    pays = Automation(
        id="pays", name="pays", on=TriggerMoment(trigger=Trigger.MESSAGE), condition="message == 'refund'",
        do=RefundAct(at_most_minor=5_000, reason="the buyer asks"),
    )  # fmt: skip
    book = AutomationBook(automations=(pays,))
    async with pool.acquire() as connection:
        publishing = {"based_on": 0, "by": "u-ops", "approval_id": "A-automations-1", "at": datetime.now(UTC)}
        with pytest.raises(AutomationRefused, match="not tried on past orders as it is"):
            await publish_automations(connection, book, **publishing)  # type: ignore[arg-type]
    await AutomationDesk(pool).try_on_past(pays, 30, "u-ed", datetime.now(UTC))
    more = pays.model_copy(update={"do": RefundAct(at_most_minor=50_000, reason="the buyer asks")})
    async with pool.acquire() as connection:
        with pytest.raises(AutomationRefused):
            await publish_automations(connection, AutomationBook(automations=(more,)), **publishing)  # type: ignore[arg-type]
    await publish(pool, pays)
    async with pool.acquire() as connection:
        with pytest.raises(BookOvertaken):
            await publish_automations(connection, AutomationBook(automations=(TAGGED,)), **publishing)  # type: ignore[arg-type]


async def test_programs_that_subscribe_hear_of_it_once(pool: Pool, orders: OrderStore) -> None:
    tells = Automation(id="tells", name="tells", on=TriggerMoment(trigger=Trigger.PLACED), do=WebhookAct())
    await pool.execute(
        "INSERT INTO subscriptions (subscription_id, role, url, secret_ref, types, created_at, changed_at) VALUES "
        "('crm', 'other', 'https://crm', 'OMS_SUBSCRIPTION_CRM', '{automation.fired}', now(), now())"
    )
    await publish(pool, tells)
    await paid(orders, "SO20261121")
    assert await AutomationRunner(pool).look(soon()) == 1
    assert await done(pool) == [("tells", "SO20261121", "done")]
    sent = "SELECT o.body::jsonb #>> '{data,automation}' FROM outbox o JOIN deliveries d ON o.id = d.outbox_id"
    assert await pool.fetchval(sent) == "tells"


async def test_a_condition_that_breaks_asks_a_person_and_holds_up_no_other(pool: Pool, orders: OrderStore) -> None:
    odd = TAGGED.model_copy(update={"id": "odd", "condition": "amount_minor / (order_lines - 2) > 1"})
    await publish(pool, odd, BIG)
    await paid(orders, "SO20261121")
    await AutomationRunner(pool).look(soon())
    assert ("big-ones", "SO20261121", "done") in await done(pool)
