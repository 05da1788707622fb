"""`oms subscription`: what people see and do."""

import asyncio
from collections.abc import Callable, Coroutine
from typing import Any

import pytest

from deploy.local.logins import as_role
from domain.outbound.published import SubscriberRole
from relay.outbound.retry_schedule import RetrySchedule
from store.orders.orders import OrderStore
from store.pool import Pool, open_pool
from tests.outbound.conftest import REF, Clock, a_sender, receiving
from tests.outbound.happenings import paid
from tests.starter.conftest import Oms, oms

__all__ = ["oms"]
Store = Callable[[Callable[[Pool], Coroutine[Any, Any, Any]]], Any]
GOOD = ("--url", "https://erp.example/oms", "--secret", REF)


@pytest.fixture
def store(database_url: str, monkeypatch: pytest.MonkeyPatch) -> Store:
    """Runs a coroutine function on a pool of this test's database; `oms` sees the same database."""
    monkeypatch.setenv("OMS_DATABASE_URL", as_role(database_url, "oms_operator"))

    async def on_pool(work: Callable[[Pool], Coroutine[Any, Any, Any]]) -> Any:
        pool = await open_pool(database_url, max_size=4)
        try:
            return await work(pool)
        finally:
            await pool.close()

    return lambda work: asyncio.run(on_pool(work))


@pytest.mark.usefixtures("store")
def test_a_subscription_is_added_shown_and_removed(oms: Oms) -> None:
    said = oms("subscription", "add", "erp", "--role", "finance", *GOOD)
    assert said.code == 0, said.err
    assert REF in said.err
    (found,) = oms("subscription", "list", "--json").json
    assert found["types"] == ["payment.received", "refund.abnormal", "refund.succeeded"]
    assert (found["state"], found["secret_ref"]) == ("enabled", REF)
    assert "https://erp.example/oms" in oms("subscription", "show", "erp").out
    assert oms("subscription", "remove", "erp").code == 0
    assert oms("subscription", "list", "--json").json == []
    again = oms("subscription", "add", "erp", "--role", "finance", *GOOD)
    assert again.code == 1
    assert "take another" in again.err


@pytest.mark.usefixtures("store")
def test_the_list_warns_as_long_as_finance_hears_of_no_refund(oms: Oms) -> None:
    assert "R05" in oms("subscription", "list").err
    oms("subscription", "add", "books", "--role", "finance", "--type", "payment.received", *GOOD)
    oms("subscription", "add", "shop", "--role", "sales", *GOOD)
    assert "R05" in oms("subscription", "list").err
    oms("subscription", "add", "erp", "--role", "finance", *GOOD)
    assert oms("subscription", "list").err == ""
    oms("subscription", "disable", "erp", "--why", "moves")
    assert "R05" in oms("subscription", "list").err


@pytest.mark.usefixtures("store")
@pytest.mark.parametrize(
    "words",
    [
        ("add", "Erp", "--role", "finance", *GOOD),
        ("add", "e", "--role", "finance", *GOOD),
        ("add", "erp", "--role", "boss", *GOOD),
        ("add", "erp", "--role", "other", *GOOD),
        ("add", "erp", "--role", "finance", "--url", "http://erp.example/", "--secret", REF),
        ("add", "erp", "--role", "finance", "--url", "https://2130706433/", "--secret", REF),
        ("add", "erp", "--role", "finance", "--url", "https://erp.example/", "--secret", "whsec_AAAA"),
        ("add", "erp", "--role", "finance", "--url", "https://erp.example/", "--secret", "OMS_DATABASE_URL"),
        ("add", "erp", "--role", "finance", "--type", "order.deleted", *GOOD),
        ("redeliver", "erp"),
        ("redeliver", "erp", "--event", "evt_1", "--failed-since", "2026-03-02T10:00:00+08:00"),
        ("redeliver", "erp", "--failed-since", "2026-03-02 10:00"),
        ("disable", "erp", "--why", "\n"),
    ],
)
def test_bad_input_is_refused_in_one_line_and_changes_nothing(oms: Oms, words: tuple[str, ...]) -> None:
    said = oms("subscription", *words)
    assert said.code == 2
    assert len(said.err.strip().splitlines()) == 1
    assert oms("subscription", "list", "--json").json == []


@pytest.mark.usefixtures("store")
@pytest.mark.parametrize("command", ["show", "enable", "remove", "deliveries"])
@pytest.mark.parametrize("name", ["nobody", "' OR 1=1", "\x00", "\x1b[2J"])
def test_what_is_not_there_is_exit_1(oms: Oms, command: str, name: str) -> None:
    said = oms("subscription", command, name)
    assert said.code == 1
    assert "there is no subscription" in said.err
    assert "\x1b" not in said.err


@pytest.mark.usefixtures("store")
def test_enabling_what_is_enabled_is_told(oms: Oms) -> None:
    oms("subscription", "add", "erp", "--role", "finance", *GOOD)
    assert oms("subscription", "enable", "erp").code == 1


def test_attempts_are_shown_and_an_event_is_sent_again(oms: Oms, store: Store, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("OMS_ENVIRONMENT", "test")
    monkeypatch.setenv("OMS_OUTBOUND_LOOPBACK", "true")
    url = "http://127.0.0.1:9/hook"
    assert (
        oms("subscription", "add", "shop", "--role", SubscriberRole.MARKETING, "--url", url, "--secret", REF).code == 0
    )

    async def happen(pool: Pool) -> None:
        clock = Clock()
        await paid(OrderStore(pool), clock())
        async with receiving() as receiver:
            receiver.says(503)
            await pool.execute("UPDATE subscriptions SET url = $1", receiver.url)
            async with a_sender(pool, clock, RetrySchedule()) as sender:
                await asyncio.gather(*await sender.turn())

    store(happen)
    said = oms("subscription", "deliveries", "shop")
    for word in ("order.status_changed", "SO20261120", "pending", "broken", "503"):
        assert word in said.out
    (delivery,) = oms("subscription", "deliveries", "shop", "--state", "pending", "--json").json
    assert [t["status"] for t in delivery["tries"]] == [503]
    assert oms("subscription", "deliveries", "shop", "--state", "failed", "--json").json == []
    assert oms("subscription", "redeliver", "shop", "--event", delivery["event_id"]).code == 0
    assert oms("subscription", "redeliver", "shop", "--event", "evt_unknown").code == 1
    everything = oms("subscription", "redeliver", "shop", "--failed-since", "2026-03-02T10:00:00+08:00", "--json")
    assert everything.json == {"subscription_id": "shop", "deliveries": 0}
