"""A channel's trade bill: every payment and refund of one day, as the channel has settled it, line by line.

A bill may be long, so it is read while it comes and handed on in batches. Nothing of it is proven before its last
batch: who reads it acts only when the iteration has ended without an error.
"""

import re
from collections.abc import AsyncIterator, Sequence
from datetime import datetime
from typing import NamedTuple

from pydantic import ValidationError

from domain.facts import Fact, Kind
from domain.strict import faults
from providers.errors import UnknownOutcome
from providers.money_facts import payment_key, refund_key

MOST_BYTES = 200_000_000
"""Of one bill: half a million lines."""
MOST_IN_A_LINE = 20_000
BATCH = 500

_TIME = re.compile(r"20[0-9]{2}-[0-9]{2}-[0-9]{2} [0-9]{2}:[0-9]{2}:[0-9]{2}", re.ASCII)


class BillLine(NamedTuple):
    """One payment or refund. `is_final` False: a refund that was still under way when the bill was made."""

    fact: Fact
    is_final: bool


Bill = AsyncIterator[Sequence[BillLine]]
"""Raises `ProviderError`; `UnknownOutcome` (MALFORMED, HASH) for what is not the bill that was promised."""


class UnreadableBill(UnknownOutcome):
    """It is not as documented, or not what the channel has vouched for: asked for again, it may be."""


class Money(NamedTuple):
    """What both kinds of lines tell. `at`: when it was paid, or the refund was taken."""

    source: str
    merchant_id: str
    order_no: str
    transaction_id: str
    amount_minor: int
    at: datetime


def payment_line(money: Money) -> BillLine:
    return BillLine(_fact(money, payment_key(money.source, money.transaction_id), Kind.PAYMENT_SUCCEEDED, None), True)


def refund_line(money: Money, refund_no: str, *, is_final: bool) -> BillLine:
    """The fact is that of a refund that succeeded, which a line that is not final only may become."""
    return BillLine(
        _fact(money, refund_key(money.source, refund_no, "SUCCESS"), Kind.REFUND_SUCCEEDED, refund_no), is_final
    )


def _fact(money: Money, key: str, kind: Kind, refund_no: str | None) -> Fact:
    try:
        return Fact(
            key=key, kind=kind, source=money.source, occurred_at=money.at, order_no=money.order_no,
            refund_no=refund_no, transaction_id=money.transaction_id, merchant_id=money.merchant_id,
            amount_minor=money.amount_minor, currency="CNY", note="told by the channel's bill",
        )  # fmt: skip
    except ValidationError as error:
        raise UnreadableBill(money.source, "MALFORMED", f"a line of the bill: {faults(error)}") from None


def looks_like_a_time(text: str) -> bool:
    return _TIME.fullmatch(text) is not None


async def lines_of(system: str, parts: AsyncIterator[bytes], encoding: str) -> AsyncIterator[str]:
    """Without their ends. Raises `UnreadableBill` for bytes of another encoding and for a line without an end."""
    rest = b""
    async for part in parts:
        *whole, rest = (rest + part).split(b"\n")
        for line in whole:
            yield _text(system, line, encoding)
        if len(rest) > MOST_IN_A_LINE:
            raise UnreadableBill(system, "MALFORMED", f"a line of the bill is longer than {MOST_IN_A_LINE} bytes")
    if rest:
        yield _text(system, rest, encoding)


async def batches(lines: AsyncIterator[BillLine | None]) -> Bill:
    """None: a line that moves no money."""
    batch: list[BillLine] = []
    async for line in lines:
        if line is not None:
            batch.append(line)
        if len(batch) == BATCH:
            yield batch
            batch = []
    if batch:
        yield batch


def _text(system: str, line: bytes, encoding: str) -> str:
    try:
        return line.decode(encoding).strip("\r\ufeff")
    except UnicodeDecodeError:
        raise UnreadableBill(system, "MALFORMED", f"the bill is not in {encoding}") from None
