"""Codes, trades and refunds as Alipay keeps them: every state comes from a journal row, live or on restart."""

import datetime as dt
from collections.abc import Iterable
from dataclasses import dataclass, field
from typing import Any

from sandbox.core import Ledger, Row

REFUND_WITHIN = dt.timedelta(days=365)


class Denied(Exception):
    """A refusal in the gateway's words."""

    def __init__(self, code: str, sub_code: str, message: str) -> None:
        super().__init__(message)
        self.code, self.sub_code, self.message = code, sub_code, message


def business(sub_code: str, message: str) -> Denied:
    return Denied("40004", f"ACQ.{sub_code}", message)


@dataclass
class Refund:
    no: str
    order_no: str
    amount_minor: int
    ends: str
    """SUCCESS or FAILED: how it is going to end."""
    accepted_at: dt.datetime
    status: str = "PROCESSING"
    ended_at: dt.datetime | None = None


@dataclass
class Trade:
    """`state` CODE: a code was made, nobody scanned it, and to the gateway there is no trade."""

    no: str
    asked: dict[str, Any]
    total: int
    expires_at: dt.datetime | None
    created_at: dt.datetime
    state: str = "CODE"
    trade_no: str = ""
    paid_at: dt.datetime | None = None
    refunds: dict[str, Refund] = field(default_factory=dict)

    @property
    def notify_url(self) -> str:
        return str(self.asked["notify_url"])

    @property
    def refunded(self) -> int:
        return sum(r.amount_minor for r in self.refunds.values() if r.status == "SUCCESS")

    @property
    def spoken_for(self) -> int:
        return sum(r.amount_minor for r in self.refunds.values() if r.status != "FAILED")


class State:
    def __init__(self, ledger: Ledger) -> None:
        self._ledger = ledger
        self.trades: dict[str, Trade] = {}

    def rebuild(self, rows: Iterable[Row]) -> None:
        for row in rows:
            self._apply(row)

    def create(self, no: str, asked: dict[str, Any], minor: int, expires_at: dt.datetime | None) -> Trade:
        """A new code, or the same one again for the same request."""
        trade = self.trades.get(no)
        if trade is None:
            expires = expires_at.isoformat() if expires_at else None
            self._write("create", key=no, order_no=no, amount_minor=minor, asked=asked, expires_at=expires)
            return self.trades[no]
        if trade.state == "TRADE_CLOSED":
            raise business("TRADE_HAS_CLOSE", "the trade is closed")
        if trade.paid_at is not None:
            raise business("TRADE_HAS_SUCCESS", "the trade is paid")
        if trade.asked != asked:
            raise business("CONTEXT_INCONSISTENT", "the number exists with other parameters")
        return trade

    def find(self, no: str, now: dt.datetime) -> Trade:
        """A trade that the gateway knows. One that waited too long is closed by now."""
        trade = self.trades.get(no)
        if trade is None or trade.state == "CODE":
            raise business("TRADE_NOT_EXIST", "no such trade")
        if trade.state == "WAIT_BUYER_PAY" and _is_over(trade, now):
            self._write("close", key=no, order_no=no, amount_minor=trade.total, by="time_expire")
        return trade

    def scan(self, no: str, trade_no: str, now: dt.datetime, *, late: bool = False) -> Trade:
        """The buyer scans the code. `late`: it happened in time, but comes to light only now."""
        trade = self.trades.get(no)
        if trade is None:
            raise business("TRADE_NOT_EXIST", "no such code")
        if trade.state != "CODE":
            return self.find(no, now)
        if _is_over(trade, now) and not late:
            raise business("TRADE_HAS_CLOSE", "the code is no longer good")
        self._write("scan", key=trade_no, order_no=no, amount_minor=trade.total)
        return trade

    def capture(self, no: str, now: dt.datetime, *, total: int, late: bool) -> Trade:
        """The buyer pays a scanned trade. `late`: the payment was under way when the trade was closed."""
        trade = self.trades[no]
        if trade.paid_at is not None:
            raise business("TRADE_HAS_SUCCESS", "the trade is paid")
        if trade.state == "TRADE_CLOSED" and not late:
            raise business("TRADE_HAS_CLOSE", "the trade is closed")
        self._write("capture", key=trade.trade_no, order_no=no, amount_minor=total, paid_at=now.isoformat(), late=late)
        return trade

    def close(self, no: str, now: dt.datetime) -> Trade:
        trade = self.find(no, now)
        if trade.state != "WAIT_BUYER_PAY":
            raise business("REASON_TRADE_STATUS_INVALID", "only a trade that waits for its buyer can be closed")
        self._write("close", key=no, order_no=no, amount_minor=trade.total, by="merchant")
        return trade

    def refund(self, no: str, refund_no: str, minor: int, now: dt.datetime, *, ends: str) -> tuple[Refund, bool]:
        """The refund and whether it is new. The same number and amount are the same refund, unless that one failed."""
        trade = self.find(no, now)
        known = trade.refunds.get(refund_no)
        if known is not None and known.amount_minor != minor:
            raise business("DISCORDANT_REPEAT_REQUEST", "the refund number exists with another amount")
        if known is not None and known.status != "FAILED":
            return known, False
        if trade.paid_at is None:
            raise business("TRADE_STATUS_ERROR", "the trade is not paid")
        if now - trade.paid_at > REFUND_WITHIN:
            raise business("TRADE_NOT_ALLOW_REFUND", "the trade is older than a year")
        if trade.spoken_for + minor > trade.total:
            raise business("REFUND_AMT_NOT_EQUAL_TOTAL", "more than what is left of the trade")
        when = now.isoformat()
        self._write("refund", key=refund_no, order_no=no, amount_minor=minor, ends=ends, accepted_at=when)
        return trade.refunds[refund_no], True

    def finish(self, refund: Refund, now: dt.datetime) -> None:
        self._write(
            "refund_end",
            key=refund.no,
            order_no=refund.order_no,
            amount_minor=refund.amount_minor,
            status=refund.ends,
            ended_at=now.isoformat(),
        )

    def _write(self, op: str, **row: Any) -> None:
        self._apply(self._ledger.add(op, **row))

    def _apply(self, row: Row) -> None:
        data, minor = row.data, row.amount_minor or 0
        if row.op == "create":
            expires_at = dt.datetime.fromisoformat(data["expires_at"]) if data["expires_at"] else None
            trade = Trade(row.order_no, data["asked"], minor, expires_at, dt.datetime.fromisoformat(row.at))
            self.trades[trade.no] = trade
        elif row.op == "scan":
            self.trades[row.order_no].state, self.trades[row.order_no].trade_no = "WAIT_BUYER_PAY", row.key
        elif row.op == "capture":
            trade = self.trades[row.order_no]
            trade.state, trade.total = "TRADE_SUCCESS", minor
            trade.paid_at = dt.datetime.fromisoformat(data["paid_at"])
        elif row.op == "close":
            self.trades[row.order_no].state = "TRADE_CLOSED"
        elif row.op == "refund":
            at = dt.datetime.fromisoformat(data["accepted_at"])
            self.trades[row.order_no].refunds[row.key] = Refund(row.key, row.order_no, minor, data["ends"], at)
        elif row.op == "refund_end":
            self._ended(self.trades[row.order_no], row)

    def _ended(self, trade: Trade, row: Row) -> None:
        refund = trade.refunds[row.key]
        refund.status, refund.ended_at = row.data["status"], dt.datetime.fromisoformat(row.data["ended_at"])
        if trade.refunded == trade.total:
            trade.state = "TRADE_CLOSED"


def _is_over(trade: Trade, now: dt.datetime) -> bool:
    return trade.expires_at is not None and now >= trade.expires_at
