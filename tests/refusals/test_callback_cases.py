"""The nasty callbacks of docs/requirements.md by their numbers, at the running relay with the real receivers.

1, 5, 6, 8 to 12 and 15 are the table of test_table.py. What lies below the message (21 to 27, 32, 35, 37) knows no
provider and is tested at the door itself, in tests/relay; 14 (a retired key) with each provider's keys, in
tests/providers.
"""

import json
from collections.abc import Callable, Iterator
from dataclasses import replace

import pytest

from bench.scenarios.environment import ScenarioOrder
from bench.signing import SignedRequest
from tests.refusals.hands import HANDS, Spoilt, say, sealed
from tests.refusals.shop import Shop
from tests.refusals.test_table import about

Case = tuple[str, str, Callable[[SignedRequest], SignedRequest], int]
"""Number and name, source, what is done to a genuine message, the status of the answer."""
SIGNATURES = {"wechat": "Wechatpay-Signature", "tms": "webhook-signature", "erp": "webhook-signature"}
TIMES = {"wechat": "Wechatpay-Timestamp", "tms": "webhook-timestamp", "erp": "webhook-timestamp"}
OF_JSON = ("wechat", "tms", "erp", "kuaidi100", "sf")


def header(name: str, value: str | None) -> Callable[[SignedRequest], SignedRequest]:
    def change(message: SignedRequest) -> SignedRequest:
        kept = {k: v for k, v in message.headers.items() if k.lower() != name.lower()}
        return replace(message, headers=kept if value is None else kept | {name: value})

    return change


def parameter(name: str, value: str | None) -> Callable[[SignedRequest], SignedRequest]:
    def change(message: SignedRequest) -> SignedRequest:
        kept = {k: v for k, v in message.params.items() if k != name}
        return replace(message, params=kept if value is None else kept | {name: value})

    return change


def says(source: str, raw: bytes) -> Callable[[SignedRequest], SignedRequest]:
    return lambda _: sealed(source, raw)


def cases() -> Iterator[Case]:
    for source, name in SIGNATURES.items():
        yield "2 no signature", source, header(name, None), 401
        yield "3 no base64", source, header(name, "v1,!!!"), 401
        yield "3 no comma", source, header(name, "v1QUJD"), 401
        yield "4 fifty thousand signatures", source, header(name, ("v1,QUJD " * 50_000).strip()), 431
        yield "4 as many as a head may hold", source, header(name, ("v1,QUJD " * 1_500).strip()), 401
    for source, name in TIMES.items():
        yield "2 no time", source, header(name, None), 401
        yield "7 nan", source, header(name, "nan"), 401
        yield "7 400 digits", source, header(name, "1" * 400), 401
        yield "7 a fraction", source, header(name, "1772355600.5"), 401
    yield "2 no sign", "qimen", parameter("sign", None), 400
    yield "3 no hex", "qimen", parameter("sign", "!!!"), 401
    yield "7 nan", "qimen", parameter("timestamp", "nan"), 401
    yield "2 no key", "sf", parameter("key", None), 401
    yield "2 no sign", "alipay", lambda m: replace(m, body=m.body.partition(b"&sign=")[0]), 401
    yield "2 no sign", "kuaidi100", lambda m: replace(m, body=m.body.partition(b"&")[2]), 401
    for source in OF_JSON:
        yield "28 deep", source, says(source, b"[" * 100_000), 400
        yield "29 a key twice", source, says(source, b'{"type": 1, "type": 2, "status": "a", "status": "b"}'), 400
        yield "30 not a number", source, says(source, b'{"type": NaN}'), 400
        yield "30 out of range", source, says(source, b'{"type": 1e999}'), 400
        yield "31 endless integer", source, says(source, b'{"type": ' + b"9" * 5_000 + b"}"), 400
        yield "33 a byte order mark", source, says(source, b"\xef\xbb\xbf{}"), 400
        yield "33 UTF-16", source, says(source, b"\xff\xfe{\x00}\x00"), 400
    for content in (b"\xff\xfe<\x00", b"<a>" * 50_000, b"<!DOCTYPE x [<!ENTITY e 'x'>]><request>&e;</request>"):
        yield f"33 no document {content[:4]!r}", "qimen", says("qimen", content), 400
    yield "34 JSON for a form", "kuaidi100", header("content-type", "application/json"), 415
    yield "34 a form for JSON", "sf", header("content-type", "application/x-www-form-urlencoded"), 415


CASES = list(cases())


@pytest.mark.parametrize(
    ("case", "source", "change", "status"), CASES, ids=[f"{source}-{case}" for case, source, *_ in CASES]
)
async def test_a_nasty_callback_is_a_refusal_with_a_row_and_nothing_else(
    shop: Shop, case: str, source: str, change: Callable[[SignedRequest], SignedRequest], status: int
) -> None:
    message = change(say(source, about(shop, source)))
    before, refused = await shop.standing(), await shop.refusals(source)
    reply = await shop.send(source, message)
    assert reply.status_code == status, (case, reply.text)
    assert await shop.standing() == before
    assert len(await shop.refusals(source)) == len(refused) + (status != 431), "a head that is too long names no source"
    assert "Traceback" not in reply.text and not any("x-odd" in name for name in reply.headers)


async def test_13_another_message_under_a_used_id_is_409_and_a_person_is_asked(shop: Shop) -> None:
    life = await shop.order()
    assert (await shop.send("wechat", say("wechat", life))).is_success
    before = await shop.standing()
    assert (await shop.send("wechat", say("wechat", life, Spoilt(amount=1)))).status_code == 409
    after = await shop.standing()
    assert after["orders"] == before["orders"] and after["payments"] == before["payments"]
    (ticket,) = [t for t in after["tickets"] if t not in before["tickets"]]
    assert ticket["ticket_id"].startswith("T-conflict-")


@pytest.mark.parametrize("currency", ["USD", "JPY", "KWD"])
async def test_16_another_currency_is_a_persons_business_whatever_its_scale(shop: Shop, currency: str) -> None:
    life = await shop.order()
    paid = shop.house.systems.pays(life.order.order_no, life.order.payable_minor, shop.house.now(), currency=currency)
    await shop.house.deliver(paid)
    assert (await life.detail()).order.payment_status != "PAID"
    (ticket,) = await shop.house.tickets.list(order_no=life.order.order_no)
    assert f"paid in {currency}" in ticket.error


async def test_17_a_payment_that_names_another_order_pays_that_one_or_nobody(shop: Shop) -> None:
    mine, other = await shop.order(), await shop.order()
    await shop.send("wechat", say("wechat", other))
    assert (await mine.detail()).order.payment_status != "PAID"
    assert (await other.detail()).order.payment_status == "PAID"


async def test_18_an_event_of_a_type_that_nobody_knows_is_thanked_for_and_kept(shop: Shop) -> None:
    told = {"type": "shipment.teleported", "timestamp": "2026-03-02T18:20:00+08:00", "data": {"shipment_id": "X-01"}}
    rows = "SELECT count(*) FROM inbox WHERE source = 'tms' AND state = 'kept'"
    before = await shop.house.pool.fetchval(rows)
    assert (await shop.send("tms", sealed("tms", json.dumps(told).encode()))).is_success
    assert await shop.house.pool.fetchval(rows) == before + 1


async def test_19_an_event_for_an_order_that_is_not_there_waits_until_it_is(shop: Shop) -> None:
    life = await shop.order()
    life.order = life.order.model_copy(update={"order_no": "SHOP-NOT-YET"})
    assert (await shop.send("wechat", say("wechat", life))).is_success
    state = "SELECT state FROM inbox WHERE event_id = 'EV-SHOP-NOT-YET'"
    assert await shop.house.pool.fetchval(state) == "parked"
    await ScenarioOrder.place(shop.house, life.order.model_copy(update={"channel_order_no": "SHOP-NOT-YET"}))
    for _ in range(200):
        if await shop.house.pool.fetchval(state) == "applied":
            break
        await shop.house.delivered()
        await shop.house.rest()
    paid = "SELECT payment_status FROM orders WHERE order_no = 'SHOP-NOT-YET'"
    assert await shop.house.pool.fetchval(paid) == "PAID"


async def test_36_a_line_break_never_becomes_a_header(shop: Shop) -> None:
    for source in HANDS:
        odd = SignedRequest({}, {"key": "a\r\nx-odd: 1", "sign": "a\r\nx-odd: 1"}, b"{}")
        reply = await shop.send(source, odd)
        assert 400 <= reply.status_code < 500 and "x-odd" not in reply.headers
