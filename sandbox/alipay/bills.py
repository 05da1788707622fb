"""The trade bill of a day, as merchants fetch it: a zip of two files in GBK, at an address of its own."""

import datetime as dt
import io
import zipfile
from collections.abc import Iterator

from sandbox.alipay.crypto import Crypto
from sandbox.alipay.request_checks import CHINA
from sandbox.alipay.responses import BUYER, stamp, yuan
from sandbox.alipay.state import Denied, Refund, State, Trade

PATH = "/downloadBillFile.resource"
COLUMNS = (
    "支付宝交易号,商户订单号,业务类型,商品名称,创建时间,完成时间,门店编号,门店名称,操作员,终端号,对方账户,订单金额（元）,"
    "商家实收（元）,支付宝红包（元）,集分宝（元）,支付宝优惠（元）,商家优惠（元）,券核销金额（元）,券名称,商家红包消费金额（元）,"
    "卡消费金额（元）,退款批次号/请求号,服务费（元）,分润（元）,备注"
)


def bill(seal: Crypto, books: State, day: str, now: dt.datetime) -> bytes:
    """Raises `Denied`."""
    if day >= stamp(now)[:10]:
        raise Denied("40004", "INVAILID_ARGUMENTS", "the day is not over")
    rows = [row for trade in books.trades.values() for row in _rows(trade, day)]
    if not rows:
        raise Denied("40004", "isp.bill_not_exist", "no trade on this day")
    head = ["#支付宝业务明细查询", f"#账号：[{seal.seller_id}]", "#-----业务明细列表-----", COLUMNS]
    lines = [*head, *(",".join(row) for row in rows), "#-----业务明细列表结束-----"]
    packed, name = io.BytesIO(), f"{seal.seller_id}_{day.replace('-', '')}_业务明细"
    with zipfile.ZipFile(packed, "w", zipfile.ZIP_DEFLATED) as files:
        files.writestr(f"{name}(汇总).csv", "#汇总\r\n".encode("gbk"))
        files.writestr(f"{name}.csv", ("\r\n".join(lines) + "\r\n").encode("gbk"))
    return packed.getvalue()


def _rows(trade: Trade, day: str) -> Iterator[list[str]]:
    if trade.paid_at is not None and _day(trade.paid_at) == day:
        yield _row(trade, trade.paid_at, None)
    for refund in trade.refunds.values():
        if refund.status == "SUCCESS" and refund.ended_at is not None and _day(refund.ended_at) == day:
            yield _row(trade, refund.ended_at, refund)


def _row(trade: Trade, at: dt.datetime, refund: Refund | None) -> list[str]:
    amount = f"-{yuan(refund.amount_minor)}" if refund else yuan(trade.total)
    return [
        f"{trade.trade_no}\t", f"{trade.no}\t", "退款" if refund else "交易", str(trade.asked.get("subject", "")),
        stamp(trade.created_at), stamp(at), "", "", "", "", BUYER["buyer_logon_id"], amount, amount, "0.00", "0.00",
        "0.00", "0.00", "0.00", "", "0.00", "0.00", f"{refund.no}\t" if refund else "", "0.00", "0.00", "",
    ]  # fmt: skip


def _day(at: dt.datetime) -> str:
    return at.astimezone(CHINA).date().isoformat()
