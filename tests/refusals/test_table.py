"""Every provider × every abuse at the running relay: its own refusal, its row with the reason, and nothing changed.

Where a protocol has nothing of the kind, the cell says what stands in its place, and that is what is tested.
"""

import hashlib
from dataclasses import dataclass, replace
from datetime import timedelta
from typing import Literal

import pytest

from bench.scenarios.environment import ScenarioOrder
from tests.refusals.hands import (
    HANDS,
    Spoilt,
    form_again,
    form_json_again,
    json_again,
    one_byte,
    say,
    xml_again,
)  # fmt: skip
from tests.refusals.installations import IMPOSTOR, TEST
from tests.refusals.shop import Shop

ABUSES = (
    "forged", "tampered", "stale", "early", "replayed", "re-serialised", "wrong merchant", "wrong amount", "test key",
)  # fmt: skip
SIX_MINUTES = timedelta(minutes=6)
OTHER_MERCHANT = "1900000999"


@dataclass(frozen=True)
class Refused:
    spoilt: Spoilt
    status: int
    reason: str


@dataclass(frozen=True)
class Believed:
    """Thanked for. `becomes`: what the order makes of it; `why` not a refusal, and what stands in its place."""

    spoilt: Spoilt
    becomes: Literal["a repeat", "nothing", "a mismatch"]
    why: str = ""


Cell = Refused | Believed
FORGED, TEST_KEY = Spoilt(by=IMPOSTOR), Spoilt(by=TEST)
TAMPERED, STALE, EARLY = Spoilt(body=one_byte), Spoilt(at=-SIX_MINUTES), Spoilt(at=SIX_MINUTES)
OTHERS, CHEAPER = Spoilt(account=OTHER_MERCHANT), Spoilt(amount=1)
REPLAYED = Believed(Spoilt(), "a repeat")
NO_MONEY = "tells no amounts; units that do not fit are a short pick, which asks a person"
NO_MERCHANT = "names no merchant: whose message it is, the secret says; another customer's is as good as a forged one"
NO_TIME = "carries no time of sending: an old picture of the parcel is believed and moves nothing"
IN_THE_ADDRESS = "signs nothing: the secret in the address is all, and TLS keeps the body as it was sent"

TABLE: dict[str, dict[str, Cell]] = {
    "wechat": {
        "forged": Refused(FORGED, 401, "signature"),
        "tampered": Refused(TAMPERED, 401, "signature"),
        "stale": Refused(STALE, 401, "stale"),
        "early": Refused(EARLY, 401, "stale"),
        "replayed": REPLAYED,
        "re-serialised": Refused(Spoilt(body=json_again), 401, "signature"),
        "wrong merchant": Refused(OTHERS, 401, "wrong_merchant"),
        "wrong amount": Believed(CHEAPER, "a mismatch"),
        "test key": Refused(TEST_KEY, 401, "unknown_key"),
    },
    "alipay": {
        "forged": Refused(FORGED, 401, "signature"),
        "tampered": Refused(TAMPERED, 401, "signature"),
        "stale": Refused(Spoilt(at=-timedelta(hours=27)), 401, "stale"),
        "early": Refused(EARLY, 401, "stale"),
        "replayed": REPLAYED,
        "re-serialised": Believed(Spoilt(body=form_again), "a repeat", "signs fields, not bytes: it is the same"),
        "wrong merchant": Refused(Spoilt(account="2088000000000099"), 401, "wrong_merchant"),
        "wrong amount": Believed(CHEAPER, "a mismatch"),
        "test key": Refused(TEST_KEY, 401, "signature"),
    },
    "qimen": {
        "forged": Refused(FORGED, 401, "signature"),
        "tampered": Refused(TAMPERED, 401, "signature"),
        "stale": Refused(STALE, 401, "stale"),
        "early": Refused(EARLY, 401, "early"),
        "replayed": REPLAYED,
        "re-serialised": Refused(Spoilt(body=xml_again), 401, "signature"),
        "wrong merchant": Refused(OTHERS, 401, "account"),
        "wrong amount": Believed(Spoilt(), "nothing", NO_MONEY),
        "test key": Refused(TEST_KEY, 401, "signature"),
    },
    "tms": {
        "forged": Refused(FORGED, 401, "signature"),
        "tampered": Refused(TAMPERED, 401, "signature"),
        "stale": Refused(STALE, 401, "timestamp"),
        "early": Refused(EARLY, 401, "timestamp"),
        "replayed": REPLAYED,
        "re-serialised": Refused(Spoilt(body=json_again), 401, "signature"),
        "wrong merchant": Refused(FORGED, 401, "signature"),
        "wrong amount": Believed(Spoilt(), "nothing", NO_MONEY),
        "test key": Refused(TEST_KEY, 401, "signature"),
    },
    "kuaidi100": {
        "forged": Refused(FORGED, 401, "signature"),
        "tampered": Refused(TAMPERED, 401, "signature"),
        "stale": Believed(STALE, "nothing", NO_TIME),
        "early": Believed(STALE, "nothing", NO_TIME),
        "replayed": REPLAYED,
        "re-serialised": Refused(Spoilt(body=form_json_again), 401, "signature"),
        "wrong merchant": Refused(FORGED, 401, "signature"),
        "wrong amount": Believed(STALE, "nothing", NO_MONEY),
        "test key": Refused(TEST_KEY, 401, "signature"),
    },
    "sf": {
        "forged": Refused(FORGED, 401, "key"),
        "tampered": Refused(Spoilt(body=lambda body: body[:-3]), 400, "malformed"),  # IN_THE_ADDRESS
        "stale": Believed(STALE, "nothing", NO_TIME),
        "early": Believed(STALE, "nothing", NO_TIME),
        "replayed": REPLAYED,
        "re-serialised": Believed(Spoilt(body=json_again), "a repeat", IN_THE_ADDRESS),
        "wrong merchant": Refused(FORGED, 401, "key"),
        "wrong amount": Believed(STALE, "nothing", NO_MONEY),
        "test key": Refused(TEST_KEY, 401, "key"),
    },
    "erp": {
        "forged": Refused(FORGED, 401, "signature"),
        "tampered": Refused(Spoilt(body=lambda body: body.replace(b"129.00", b"129.01")), 401, "signature"),
        "stale": Refused(STALE, 401, "timestamp"),
        "early": Refused(EARLY, 401, "timestamp"),
        "replayed": REPLAYED,
        "re-serialised": Refused(Spoilt(body=json_again), 401, "signature"),
        "wrong merchant": Refused(FORGED, 401, "signature"),
        "wrong amount": Believed(CHEAPER, "a mismatch"),
        "test key": Refused(TEST_KEY, 401, "signature"),
    },
}
WITHOUT_MERCHANT = ("tms", "kuaidi100", "sf", "erp")
"""There `wrong merchant` is `forged`: NO_MERCHANT."""
PAYMENTS = ("wechat", "alipay", "erp")
CHANNELS = ("wechat", "alipay")
"""Only the channel of an order says that it is paid; what another source tells of money is a person's business."""


def cells(kind: type[Cell], *becomes: str) -> list[tuple[str, str, Cell]]:
    return [
        (source, abuse, cell)
        for source, row in TABLE.items()
        for abuse, cell in row.items()
        if isinstance(cell, kind) and (not becomes or (isinstance(cell, Believed) and cell.becomes in becomes))
    ]


def named(cell: tuple[str, str, Cell]) -> str:
    return f"{cell[0]}-{cell[1].replace(' ', '-')}"


def test_the_table_has_a_cell_for_every_abuse_of_every_provider() -> None:
    assert set(TABLE) == set(HANDS) and all(tuple(row) == ABUSES for row in TABLE.values())
    for source in WITHOUT_MERCHANT:
        assert TABLE[source]["wrong merchant"] == TABLE[source]["forged"], NO_MERCHANT
    for _, abuse, cell in cells(Believed):
        assert isinstance(cell, Believed) and (cell.why or abuse in ("replayed", "wrong amount"))


def about(shop: Shop, source: str) -> ScenarioOrder:
    """The open order that a refused message would have moved."""
    return {"wechat": shop.unpaid, "erp": shop.unpaid, "alipay": shop.by_alipay}.get(source, shop.on_the_road)


async def fresh(shop: Shop, source: str) -> ScenarioOrder:
    if source in PAYMENTS:
        return await shop.order(channel="alipay" if source == "alipay" else "wechat")
    return await shop.shipped()


@pytest.mark.parametrize(("source", "abuse", "cell"), cells(Refused), ids=[named(c) for c in cells(Refused)])
async def test_what_must_not_be_believed_is_refused_with_its_reason_and_changes_nothing(
    shop: Shop, source: str, abuse: str, cell: Refused
) -> None:
    message = say(source, about(shop, source), cell.spoilt)
    before, refused = await shop.standing(), await shop.refusals(source)
    reply = await shop.send(source, message)
    assert reply.status_code == cell.status, (abuse, reply.text)
    assert await shop.refusals(source) == [*refused, (cell.reason, hashlib.sha256(message.body).digest())]
    assert await shop.standing() == before
    assert "Traceback" not in reply.text


@pytest.mark.parametrize(
    ("source", "abuse", "cell"), cells(Believed, "a repeat"), ids=[named(c) for c in cells(Believed, "a repeat")]
)
async def test_the_same_message_again_is_thanked_for_and_applied_once(
    shop: Shop, source: str, abuse: str, cell: Believed
) -> None:
    life = await fresh(shop, source)
    genuine = say(source, life)
    assert (await shop.send(source, genuine)).is_success
    events = await life.events()
    before, repeats, refused = await shop.standing(), await shop.repeats(), await shop.refusals(source)
    again = replace(genuine, body=cell.spoilt.body(genuine.body))
    assert (await shop.send(source, again)).is_success, abuse
    assert await shop.standing() == before and await life.events() == events
    assert await shop.repeats() == repeats + 1 and await shop.refusals(source) == refused
    if source in CHANNELS:
        assert (await life.detail()).order.payment_status == "PAID", "believed the first time"


@pytest.mark.parametrize(
    ("source", "abuse", "cell"), cells(Believed, "a mismatch"), ids=[named(c) for c in cells(Believed, "a mismatch")]
)
async def test_a_wrong_amount_under_a_good_signature_is_a_persons_business_and_pays_nothing(
    shop: Shop, source: str, abuse: str, cell: Believed
) -> None:
    life = await fresh(shop, source)
    assert (await shop.send(source, say(source, life, cell.spoilt))).is_success, abuse
    order = (await life.detail()).order
    assert (order.status, order.paid_minor) == ("PENDING_PAYMENT", 0)
    assert [e["outcome"] for e in await life.events()] == ["MISMATCH"]
    (ticket,) = await shop.house.tickets.list(order_no=life.order.order_no)
    why = "payable 12900" if source in CHANNELS else "which is not the order's"
    assert ticket.step == "payment does not fit" and why in ticket.error


@pytest.mark.parametrize(
    ("source", "abuse", "cell"), cells(Believed, "nothing"), ids=[named(c) for c in cells(Believed, "nothing")]
)
async def test_what_stands_in_place_of_a_refusal_moves_nothing(
    shop: Shop, source: str, abuse: str, cell: Believed
) -> None:
    life = await fresh(shop, source)
    if cell.spoilt != Spoilt():
        assert (await shop.send(source, say(source, life))).is_success
    before, paid = await life.detail(), life.order.payable_minor
    assert (await shop.send(source, say(source, life, cell.spoilt))).is_success, (abuse, cell.why)
    after = await life.detail()
    assert [c["status"] for c in after.children] == [c["status"] for c in before.children]
    assert (after.order.status, after.order.paid_minor) == (before.order.status, paid)
