"""What the pages of finance, tickets, callbacks and goods show, by HTTP; and a comparison that a program has begun."""

from datetime import timedelta
from typing import Any

import pytest

from domain.access.api_tokens import ApiScope
from domain.approvals import Role, ask
from domain.policy import Policy
from domain.records import SettlePayment, TicketRecord
from store.approvals.approvals import ApprovalStore
from store.orders.orders import OrderStore
from store.stock.ledger import StockStore
from store.tickets.tickets import open_ticket
from tests.open_api.programs import Door
from tests.store.examples import a_payment, a_write, an_order
from workflows.loops.reconciliation import MOST_CALLED

READS = (ApiScope.FINANCE_READ, ApiScope.TICKETS_READ, ApiScope.CALLBACKS_READ, ApiScope.STOCK_READ)


async def paid(door: Door, *numbers: str, **changes: Any) -> None:
    orders, now = OrderStore(door.house.pool), door.house.now()
    for number in numbers:
        await orders.register(an_order(number, **changes), "run", now)
        await orders.settle(SettlePayment(write=a_write(number, payment=a_payment(number), at=now), policy=Policy()))


async def a_ticket(door: Door, number: str, order_no: str | None) -> None:
    ticket = TicketRecord(
        ticket_id=number, system="alipay", step="refund", severity="urgent", error="no answer", actions=("retry",),
        give_up_means="nothing more is asked",
    )  # fmt: skip
    async with door.house.pool.acquire() as connection, connection.transaction():
        await open_ticket(connection, ticket, order_no, door.house.now(), outside=True)


async def test_money_is_read_page_by_page_and_of_the_own_shops_only(door: Door) -> None:
    await paid(door, "SO20261120", "SO20261121")
    erp = await door.program(*READS)
    first = (await erp.get("/finance/money", limit=1)).json()
    rest = (await erp.get("/finance/money", limit=1, after=first["next"])).json()
    assert sorted(row["order_no"] for row in (*first["money"], *rest["money"])) == ["SO20261120", "SO20261121"]
    assert rest["next"] is None and {row["state"] for row in rest["money"]} == {"PAID"}
    assert len((await erp.get("/finance/money", order_no="SO20261121")).json()["money"]) == 1
    totals = (await erp.get("/finance/totals", day=f"{door.house.now() + timedelta(hours=8):%Y-%m-%d}")).json()
    assert sum(row["n"] for row in totals["totals"]) in (0, 2)
    other = await door.program(*READS, name="api/other", channels=("another-shop",))
    assert (await other.get("/finance/money")).json() == {"money": [], "next": None}
    for wrong in ({"after": "nonsense"}, {"day": "1999-12-31"}, {"kind": "coins"}):
        assert (await erp.get("/finance/money", **wrong)).status_code == 422


async def test_payouts_that_wait_say_whose_turn_it_is(door: Door) -> None:
    await paid(door, "SO20261120")
    request = ask(
        "refund_payout", subject="RT-1", n=1, version=1, role=Role.FINANCE, requested_by="u-cs",
        order_no="SO20261120", content={"amount_minor": 500},
    )  # fmt: skip
    await ApprovalStore(door.house.pool).open(request, None, door.house.now())
    erp = await door.program(*READS)
    found = (await erp.get("/finance/payouts")).json()
    (row,) = found["payouts"]
    assert (row["number"], row["turn"], row["who"], row["amount_minor"]) == ("A-RT-1-1", "decides", "FINANCE", 500)
    assert [(one["turn"], one["n"], one["amount_minor"]) for one in found["sums"]] == [("decides", 1, 500)]
    assert (await erp.get("/finance/payouts", turn="bank")).json()["payouts"] == []
    other = await door.program(*READS, name="api/other", channels=("another-shop",))
    assert (await other.get("/finance/payouts")).json() == {"payouts": [], "sums": [], "next": None}


async def test_differences_of_a_day_and_how_many_are_of_other_shops(door: Door) -> None:
    await paid(door, "SO20261120")
    day = f"{door.house.now() + timedelta(hours=8) - timedelta(days=1):%Y-%m-%d}"
    await door.house.pool.execute(
        "INSERT INTO drifts (day, order_no, kind, number, expected, found, found_at) "
        "VALUES ($1::text::date, 'SO20261120', 'refund', 'RF-1', 'SUCCEEDED', 'ABNORMAL', $2)", day, door.house.now(),
    )  # fmt: skip
    found = (await (await door.program(*READS)).get("/finance/differences")).json()
    assert (found["day"], found["compared"], found["hidden"]) == (day, None, 0)
    assert [(one["order_no"], one["found"]) for one in found["differences"]] == [("SO20261120", "ABNORMAL")]
    other = await door.program(*READS, name="api/other", channels=("another-shop",))
    theirs = (await other.get("/finance/differences", day=day)).json()
    assert (theirs["differences"], theirs["hidden"]) == ([], 1)


async def test_a_comparison_is_begun_once_a_key_written_down_and_twelve_times_a_day(door: Door) -> None:
    erp = await door.program(ApiScope.FINANCE_WRITE)
    away = await erp.post("/finance/comparisons", key="first")
    assert (away.status_code, away.json()["code"]) == (409, "NotRunning"), "no loop runs in this house"
    assert await door.audit("reconcile.asked") == []
    await door.house.pool.execute(
        "INSERT INTO audit (actor, action, detail, at) SELECT 'u', 'reconcile.asked', '{}', $1 "
        "FROM generate_series(1, $2)", door.house.now(), MOST_CALLED,
    )  # fmt: skip
    full = await erp.post("/finance/comparisons", key="first")
    assert (full.status_code, full.json()["code"]) == (429, "TooMany") and "retry-after" in full.headers
    narrow = await door.program(ApiScope.FINANCE_WRITE, name="api/narrow", warehouses=("WH-EAST",))
    refused = await narrow.post("/finance/comparisons")
    assert (refused.status_code, refused.json()["code"]) == (403, "OUT_OF_SCOPE")
    assert [row.detail["code"] for row in await door.audit("api.refused")] == ["OUT_OF_SCOPE"]


async def test_a_comparison_that_was_begun_is_begun_once_and_in_the_programs_name(
    door: Door, monkeypatch: pytest.MonkeyPatch
) -> None:
    begun: list[int] = []

    async def compare_now(_temporal: object, asked_today: int) -> None:
        begun.append(asked_today)

    monkeypatch.setattr("console.api.finance.compare_now", compare_now)
    erp = await door.program(ApiScope.FINANCE_WRITE)
    first, again = [await erp.post("/finance/comparisons", key="k") for _ in range(2)]
    assert (first.status_code, first.json()["asked_today"]) == (202, 1)
    assert again.json() == first.json() and begun == [0], "told again, not begun again"
    assert [row.actor for row in await door.audit("reconcile.asked")] == ["api/erp"]


async def test_tickets_are_read_with_their_team_and_of_the_own_shops_only(door: Door) -> None:
    await paid(door, "SO20261120")
    await a_ticket(door, "T-SO20261120-1", "SO20261120")
    await a_ticket(door, "T-alipay-1", None)
    erp = await door.program(*READS)
    found = (await erp.get("/tickets", team="finance")).json()["tickets"]
    assert sorted(one["ticket_id"] for one in found) == ["T-SO20261120-1", "T-alipay-1"]
    assert {(one["severity"], one["state"], one["action"]) for one in found} == {("urgent", "open", None)}
    assert (await erp.get("/tickets", answered=True)).json()["tickets"] == []
    other = await door.program(*READS, name="api/other", channels=("another-shop",))
    assert [one["ticket_id"] for one in (await other.get("/tickets")).json()["tickets"]] == ["T-alipay-1"]


async def test_sources_connectors_messages_and_subscriptions(door: Door) -> None:
    pool, now = door.house.pool, door.house.now()
    await pool.execute("INSERT INTO callback_sources (source, configured, started_at) VALUES ('wechat', '{}', $1)", now)
    await pool.execute(
        "INSERT INTO inbox_refusals (source, reason, remote_ip, text, body_sha256, calls, at) "
        "VALUES ('wechat', 'signature', '203.0.113.7', 'x', sha256('x'), 3, $1)",
        now,
    )
    await pool.execute(
        "INSERT INTO subscriptions (subscription_id, role, url, secret_ref, types, created_at, changed_at) "
        "VALUES ('erp', 'other', 'https://erp.example', 'OMS_SUBSCRIPTION_ERP', '{ticket.opened}', $1, $1)",
        now,
    )
    erp = await door.program(*READS)
    found = (await erp.get("/callbacks/sources")).json()
    (wechat,) = [one for one in found["sources"] if one["source"] == "wechat"]
    assert (wechat["received"], wechat["accepted"], wechat["rate_bp"]) == (3, 0, 0)
    assert wechat["refused"] == {"signature": 3} and wechat["enabled"] is True
    assert (await erp.get("/callbacks/connectors")).status_code == 200
    assert (await erp.get("/callbacks/messages", state="parked")).json() == {"messages": [], "next": None}
    (told,) = (await erp.get("/callbacks/subscriptions")).json()["subscriptions"]
    assert (told["subscription_id"], told["waiting"], told["failed"]) == ("erp", 0, 0)
    assert (await erp.get("/callbacks/subscriptions/erp/deliveries")).json() == {"deliveries": [], "next": None}
    missing = await erp.get("/callbacks/subscriptions/nobody/deliveries")
    assert (missing.status_code, missing.json()["code"]) == (404, "NO_SUCH_SUBSCRIPTION")


async def test_goods_say_why_they_are_what_they_are(door: Door) -> None:
    await StockStore(door.house.pool).receive("CUP", "WH-EAST", 7, "GR-1")
    erp = await door.program(*READS, ApiScope.CATALOG_READ)
    moves = (await erp.get("/stock/moves", sku="CUP", warehouse="WH-EAST")).json()["moves"]
    assert ("GR-1", 7) in {(one["ref"], one["qty"]) for one in moves}
    elsewhere = await door.program(*READS, name="api/west", warehouses=("WH-WEST",))
    assert (await elsewhere.get("/stock/moves", sku="CUP", warehouse="WH-EAST")).json()["moves"] == []
    first = (await erp.get("/catalog/skus", limit=1)).json()
    assert len(first["skus"]) <= 1 and (await erp.get("/catalog/skus", after="zzz")).json() == {
        "skus": [], "next": None,
    }  # fmt: skip


async def test_orders_and_returns_are_narrowed_down_as_on_their_pages(door: Door) -> None:
    await paid(door, "SO20261120", "SO20261121")
    await door.house.pool.execute("UPDATE orders SET needs_attention = true WHERE order_no = 'SO20261121'")
    erp = await door.program(ApiScope.ORDERS_READ, ApiScope.RETURNS_READ)
    for narrowed, expected in (
        ({"only": "attention"}, ["SO20261121"]),
        ({"only": "held"}, []),
        ({"search": "SO20261120"}, ["SO20261120"]),
        ({"search": "SO20261120", "only": "attention"}, []),
    ):
        listed = (await erp.get("/orders", **narrowed)).json()["orders"]
        assert [one["order_no"] for one in listed] == expected, narrowed
    wrong = await erp.get("/orders", only="everything")
    assert (wrong.status_code, wrong.json()["errors"][0]["pointer"]) == (422, "query/only")
    assert (await erp.get("/returns", turn="FINANCE")).json() == {"returns": [], "next": None}
    assert (await erp.get("/returns", turn="NOBODY")).status_code == 422
