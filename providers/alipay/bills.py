"""Alipay's trade bill (docs/providers.md; opendocs alipay.data.dataservice.bill.downloadurl.query, bill_type trade).

A signed reply gives an address that is good for half a minute; there lies a zip of two files in GBK. The one of single
trades has remarks that begin with `#`, a line of names, and a line a payment or refund. Values end in tabs; refunds are
negative.
"""

import io
import zipfile
from collections.abc import AsyncIterator, Iterator
from datetime import date
from typing import Annotated

import httpx
from pydantic import Field

from providers import bills
from providers import http as outside
from providers.alipay.errors import SYSTEM
from providers.alipay.facts import SOURCE
from providers.alipay.gateway import Gateway
from providers.alipay.models import AlipayConfig
from providers.alipay.wire import Wire
from providers.amounts import fen, moment
from providers.bills import Bill, BillLine, Money, UnreadableBill
from providers.payment_errors import NotFound

METHOD = "alipay.data.dataservice.bill.downloadurl.query"
MOST_PACKED = 50_000_000
DEADLINE_S = 600.0
HOSTS = ".alipay.com"
REMARK = "#"
NAMES = ("支付宝交易号", "商户订单号", "业务类型")
"""What a line begins with. A merchant's own text follows, which may hold anything, commas too."""
CREATED, AMOUNT, REFUND_NO = "创建时间", "订单金额（元）", "退款批次号/请求号"
PAYMENT, REFUND = "交易", "退款"


class BillAddress(Wire):
    bill_download_url: Annotated[str, Field(min_length=1, max_length=2048)]


async def trade_bill(gateway: Gateway, config: AlipayConfig, http: httpx.AsyncClient, day: date) -> Bill:
    """Of a day in Beijing time that is over; made after nine the next morning. A day without trades has no bill."""
    try:
        told = await gateway.call(BillAddress, METHOD, {"bill_type": "trade", "bill_date": day.isoformat()})
    except NotFound:
        return
    url = _address(told.bill_download_url, config)
    parts = outside.download(http, SYSTEM, url, most_bytes=MOST_PACKED, deadline_s=DEADLINE_S)
    packed = b"".join([part async for part in parts])
    async for batch in bills.batches(_lines(bills.lines_of(SYSTEM, _unpacked(packed), "gbk"), config.seller_id)):
        yield batch


def _address(told: str, config: AlipayConfig) -> httpx.URL:
    """At Alipay, whose documents still show http: nothing of it travels open. Or where the gateway itself is."""
    url, base = httpx.URL(told), httpx.URL(config.base_url)
    if (url.scheme, url.netloc) == (base.scheme, base.netloc):
        return url
    if not url.host.endswith(HOSTS):
        raise UnreadableBill(SYSTEM, "MALFORMED", f"a bill at {url.host}, which is no host of Alipay")
    return url.copy_with(scheme="https", port=None)


async def _unpacked(packed: bytes) -> AsyncIterator[bytes]:
    """The file of single trades. A file that grows beyond every bill is not read to its end."""
    size = 0
    try:
        with (
            zipfile.ZipFile(io.BytesIO(packed), metadata_encoding="gbk") as files,
            files.open(_of_single_trades(files.namelist())) as file,
        ):
            while part := file.read(64_000):
                size += len(part)
                if size > bills.MOST_BYTES:
                    raise UnreadableBill(SYSTEM, "ReplyTooLarge", f"the bill is longer than {bills.MOST_BYTES}")
                yield part
    except (zipfile.BadZipFile, NotImplementedError, RuntimeError, EOFError, OSError, UnicodeError) as error:
        raise UnreadableBill(SYSTEM, "MALFORMED", f"the bill is no zip: {type(error).__name__}") from None


def _of_single_trades(names: list[str]) -> str:
    found = [name for name in names if name.endswith("业务明细.csv")]
    if len(found) != 1:
        raise UnreadableBill(SYSTEM, "MALFORMED", f"the bill holds {len(found)} files of single trades")
    return found[0]


async def _lines(lines: AsyncIterator[str], seller_id: str) -> AsyncIterator[BillLine | None]:
    names: list[str] | None = None
    async for line in lines:
        if line.startswith(REMARK) or not line.strip():
            continue
        values = [value.strip() for value in line.split(",")]
        if names is None:
            names = _names(values)
        else:
            yield _line(names, values, seller_id)
    if names is None:
        raise UnreadableBill(SYSTEM, "MALFORMED", "the bill has no line of names")


def _names(names: list[str]) -> list[str]:
    missing = [name for name in (CREATED, AMOUNT, REFUND_NO) if name not in names]
    if tuple(names[: len(NAMES)]) != NAMES or missing:
        raise UnreadableBill(SYSTEM, "MALFORMED", "the bill has other columns than are documented")
    return names


def _line(names: list[str], values: list[str], seller_id: str) -> BillLine | None:
    """The columns after the text are counted from its first time."""
    transaction_id, order_no, kind = values[: len(NAMES)]
    if kind not in (PAYMENT, REFUND):
        return None
    shift = next(_times(values, names.index(CREATED)), None)
    told = values[shift:] if shift is not None else []
    after = {name: names.index(name) - names.index(CREATED) for name in (AMOUNT, REFUND_NO)}
    if len(told) <= max(after.values()):
        raise UnreadableBill(SYSTEM, "MALFORMED", "a line of the bill has fewer values than names")
    amount, refund_no = told[after[AMOUNT]], told[after[REFUND_NO]]
    try:
        at = moment(told[1] if bills.looks_like_a_time(told[1]) else told[0])
        money = Money(SOURCE, seller_id, order_no, transaction_id, fen(amount.removeprefix("-")), at)
    except ValueError as error:
        raise UnreadableBill(SYSTEM, "MALFORMED", f"a line of the bill: {error}") from None
    if kind == PAYMENT:
        return bills.payment_line(money)
    return bills.refund_line(money, refund_no or order_no, is_final=True)


def _times(values: list[str], first: int) -> Iterator[int]:
    return (n for n in range(first, len(values)) if bills.looks_like_a_time(values[n]))
