"""WeChat Pay's trade bill (docs/providers.md; merchant docs native-payment/get-trade-bill, bill-download/format-trade).

A signed reply names the file and its SHA-1; the file itself comes unsigned. It is text in UTF-8: a line of names, a
line a payment or refund with a grave accent before every value, then a line of names and one of sums.
"""

import hashlib
from collections.abc import AsyncIterator
from datetime import date
from typing import Annotated, Literal

from pydantic import Field, StringConstraints

from providers import bills
from providers.amounts import fen, moment
from providers.bills import Bill, BillLine, Money, UnreadableBill
from providers.payment_errors import NotFound
from providers.wechat.errors import SYSTEM
from providers.wechat.facts import SOURCE
from providers.wechat.transport import Transport
from providers.wechat.wire import Wire

DEADLINE_S = 600.0
MARK = "`"
BEFORE_TEXTS = ("交易时间", "商户号", "微信订单号", "商户订单号", "交易状态", "商户退款单号", "退款状态")
AFTER_TEXTS = ("订单金额", "申请退款金额")
TEXTS = "商品名称"
"""From here on merchants' own texts stand, which may hold anything: what follows them is counted from the end."""
NONE = ("", "0")
MOVES, MAY_MOVE = "SUCCESS", ("PROCESSING", "ABNORMAL")


class BillFile(Wire):
    """Reply of the request for a bill. `download_url`: good for five minutes."""

    hash_type: Literal["SHA1"]
    hash_value: Annotated[str, StringConstraints(pattern=r"^[0-9a-fA-F]{40}$")]
    download_url: Annotated[str, Field(max_length=2048)]


async def trade_bill(transport: Transport, merchant_id: str, day: date) -> Bill:
    """Of a day in Beijing time that is over; made after ten the next morning. A day without trades has no bill."""
    try:
        file = await transport.read(BillFile, "GET", f"/v3/bill/tradebill?bill_date={day.isoformat()}&bill_type=ALL")
    except NotFound:
        return
    digest = hashlib.sha1(usedforsecurity=False)
    parts = _digested(transport.download(file.download_url, most_bytes=bills.MOST_BYTES, deadline_s=DEADLINE_S), digest)
    async for batch in bills.batches(_lines(bills.lines_of(SYSTEM, parts, "utf-8"), merchant_id)):
        yield batch
    if digest.hexdigest() != file.hash_value.lower():
        raise UnreadableBill(SYSTEM, "HASH", f"the bill of {day} is not the file that WeChat Pay has vouched for")


async def _digested(parts: AsyncIterator[bytes], digest: "hashlib._Hash") -> AsyncIterator[bytes]:
    async for part in parts:
        digest.update(part)
        yield part


async def _lines(lines: AsyncIterator[str], merchant_id: str) -> AsyncIterator[BillLine | None]:
    columns: _Columns | None = None
    async for line in lines:
        if columns is None:
            columns = _Columns(line.split(","))
        elif line.startswith(MARK):
            yield _line(columns.of(line[1:].split(f",{MARK}")), merchant_id)
        elif line:
            break  # the names of the sums
    async for _ in lines:  # the digest is of the whole file
        pass


class _Columns:
    """Where in a line a value stands. Names come and go, and are looked up in the first line."""

    def __init__(self, names: list[str]) -> None:
        try:
            self._first = {name: names.index(name) for name in BEFORE_TEXTS}
            self._last = {name: names.index(name) - len(names) for name in AFTER_TEXTS}
            if max(self._first.values()) > names.index(TEXTS):
                raise ValueError("a column stands after the texts")
        except ValueError as error:
            raise UnreadableBill(SYSTEM, "MALFORMED", f"the bill has no such column: {error}"[:200]) from None
        self._count = len(names)

    def of(self, values: list[str]) -> dict[str, str]:
        if len(values) < self._count:
            raise UnreadableBill(SYSTEM, "MALFORMED", "a line of the bill has fewer values than names")
        return {name: values[at].strip() for name, at in (self._first | self._last).items()}


def _line(told: dict[str, str], merchant_id: str) -> BillLine | None:
    if told["商户号"] != merchant_id:
        raise UnreadableBill(SYSTEM, "MALFORMED", "the bill tells of another merchant")
    refund_no = told["商户退款单号"]
    is_refund = refund_no not in NONE
    try:
        money = Money(
            SOURCE, merchant_id, told["商户订单号"], told["微信订单号"],
            fen(told["申请退款金额" if is_refund else "订单金额"]), moment(told["交易时间"]),
        )  # fmt: skip
    except ValueError as error:
        raise UnreadableBill(SYSTEM, "MALFORMED", f"a line of the bill: {error}") from None
    if not is_refund:
        return bills.payment_line(money) if told["交易状态"] == MOVES else None
    if told["退款状态"] not in (MOVES, *MAY_MOVE):
        return None
    return bills.refund_line(money, refund_no, is_final=told["退款状态"] == MOVES)
