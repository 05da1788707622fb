"""What came in, what of it was believed, and delivering it once more: forecast first, then done."""

import hashlib
import json
import re
from datetime import timedelta

import pytest
from asyncpg import InsufficientPrivilegeError

from store.inbox.inbox import InboxStore, RefusedMessage
from store.orders.orders import OrderStore
from store.pool import Pool
from tests.console.office import Browser, Desk
from tests.console.test_tickets import english
from tests.store.examples import NOW, an_order

BAD = "<script>alert(1)</script>"


async def came(desk: Desk, n: int, state: str = "applied", order_no: str | None = None, note: str = "") -> int:
    """A message that was here ten minutes ago and took 2 s to its order."""
    at = desk.now - timedelta(minutes=10)
    facts: list[object] = []
    number: int = await desk.books.fetchval(
        """INSERT INTO inbox (source, event_id, kind, digest, body, facts, received_at, state, order_no, next_try_at,
            delivered_at, note) VALUES ('wechat', $1, 'PAYMENT_SUCCEEDED', $2, '', $3, $4, $5, $6, $4, $7, $8)
        RETURNING id""",
        f"E-{n}", hashlib.sha256(b"x").digest(), facts, at, state, order_no,
        at + timedelta(seconds=2) if state == "applied" else None, note,
    )  # fmt: skip
    return number


async def state_of(books: Pool, number: int) -> str:
    state: str = await books.fetchval("SELECT state FROM inbox WHERE id = $1", number)
    return state


async def operator(desk: Desk) -> Browser:
    return await english(desk, "order-ops")


async def test_the_board_equals_what_came_and_names_why_it_was_refused(desk: Desk) -> None:
    for n in range(3):
        await came(desk, n)
    refused = RefusedMessage(
        "wechat", "1.2.3.4", "signature", "of another", hashlib.sha256(b"x").digest(), desk.now - timedelta(minutes=9)
    )
    await InboxStore(desk.books).refuse_many([refused])
    browser = await operator(desk)
    page = (await browser.get("/callbacks")).text
    assert "3 of 4 were accepted" in page and "75.00 %" in page and "signature" in page
    assert "2,000 ms" in page
    drawn = json.loads(re.findall(r"data-trend='([^']+)'", page)[0])
    assert (sum(drawn["accepted"]), sum(drawn["refused"])) == (3, 1) and len(drawn["times"]) == 48
    assert [ms for ms in drawn["delay"] if ms is not None] == [2_000]
    moved = (await browser.get("/callbacks/trends?span=2h")).text
    assert "3 of 4 were accepted" in moved and "<html" not in moved
    assert "共 4 条，接受 3 条" in (await (await desk.sign_in("admin", "t-2")).get("/callbacks?span=7d")).text


async def test_a_message_is_delivered_again_after_a_forecast(desk: Desk) -> None:
    number = await came(desk, 1, "dead", note=BAD)
    browser = await operator(desk)
    page = (await browser.get(f"/callbacks/messages/{number}")).text
    assert "Delivered again, it would do this" in page and BAD not in page
    answer = await browser.post(f"/callbacks/messages/{number}/replay")
    assert answer.headers["location"] == f"/callbacks/messages/{number}?said=again"
    assert await state_of(desk.books, number) == "received"
    assert [row.actor for row in await desk.audit("event.replay")] == ["order-ops"]


async def test_of_many_exactly_those_are_delivered_again_that_were_forecast(desk: Desk) -> None:
    shown = [await came(desk, n, "parked") for n in range(3)]
    browser = await operator(desk)
    page = (await browser.get("/callbacks/replay?state=parked&source=wechat")).text
    assert "3 messages would be delivered again" in page and f'value="{" ".join(map(str, shown))}"' in page
    later = await came(desk, 9, "parked")
    await desk.books.execute("UPDATE inbox SET state = 'applied' WHERE id = $1", shown[0])
    answer = await browser.post("/callbacks/replay", state="parked", source="wechat", ids=" ".join(map(str, shown)))
    assert answer.headers["location"].endswith("said=2")
    assert [await state_of(desk.books, n) for n in (*shown, later)] == ["applied", "received", "received", "parked"]


@pytest.mark.parametrize(
    "path", ["messages?state=x", "messages?after=x", "replay?state=applied", "?span=1y", "trends?span=1y"]
)
async def test_what_does_not_exist_is_named_as_such(desk: Desk, path: str) -> None:
    assert (await (await operator(desk)).get(f"/callbacks/{path}".replace("/?", "?"))).status_code == 400


async def test_messages_of_other_shops_are_neither_shown_nor_delivered(desk: Desk) -> None:
    for number, channel in (("SO1001", "taobao"), ("SO1002", "jd")):
        await OrderStore(desk.books).register(an_order(number, channel=channel), "run", NOW)
    other, own = await came(desk, 1, "dead", "SO1001"), await came(desk, 2, "dead", "SO1002")
    await desk.books.execute("INSERT INTO person_scopes VALUES ('order-ops', 'channel', 'jd')")
    browser = await operator(desk)
    page = (await browser.get("/callbacks/messages")).text
    assert f"/callbacks/messages/{own}" in page and f"/callbacks/messages/{other}" not in page
    assert (await browser.post(f"/callbacks/messages/{other}/replay")).status_code == 404
    await browser.post("/callbacks/replay", state="dead", ids=f"{other} {own}")
    assert [await state_of(desk.books, n) for n in (other, own)] == ["dead", "received"]


async def test_the_console_says_nothing_else_of_a_message(desk: Desk) -> None:
    number = await came(desk, 1, "parked")
    own: Pool = desk.app.state.wiring.pool
    for change in ("state = 'applied'", "note = 'x'"):
        with pytest.raises(InsufficientPrivilegeError, match="relay"):
            await own.execute(f"UPDATE inbox SET {change} WHERE id = $1", number)  # noqa: S608 - our own words


async def test_subscriptions_show_their_attempts_and_nothing_secret(desk: Desk) -> None:
    await desk.books.execute(
        """INSERT INTO subscriptions (subscription_id, role, url, secret_ref, types, created_at, changed_at)
        VALUES ('erp', 'finance', 'https://erp.example/in', 'OMS_SUBSCRIPTION_ERP', '{ticket.opened}', now(), now())"""
    )
    await desk.books.execute(
        """INSERT INTO outbox (event_id, type, order_no, at, body)
        VALUES ('evt_' || repeat('0', 32), 'ticket.opened', '', now(), '{}')"""
    )
    await desk.books.execute(
        """INSERT INTO deliveries (outbox_id, subscription_id, needs_ack, next_try_at)
        SELECT id, 'erp', false, now() FROM outbox"""
    )
    browser = await operator(desk)
    page = (await browser.get("/callbacks/subscriptions")).text + (
        await browser.get("/callbacks/subscriptions/erp")
    ).text
    assert "1 wait, 0 were given up" in page and "evt_0000" in page and "OMS_SUBSCRIPTION" not in page
    assert (await browser.get("/callbacks/subscriptions/none")).status_code == 404
