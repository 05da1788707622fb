"""Trades and refunds as the payment system keeps them: every state comes from a journal row, live or on restart."""

import datetime as dt
from collections.abc import Iterable
from dataclasses import dataclass, field
from typing import Any

from sandbox.core import Ledger, Row

MAX_REFUNDS = 50
REFUND_GAP_S = 60.0
REFUND_WITHIN = dt.timedelta(days=365)


class Denied(Exception):
    """A refusal in API v3's words."""

    def __init__(self, status: int, code: str, message: str) -> None:
        super().__init__(message)
        self.status, self.code, self.message = status, code, message


@dataclass
class Refund:
    no: str
    order_no: str
    refund_id: str
    asked: dict[str, Any]
    """The request as it came, to tell a repeat from a change."""
    ends: str
    """The final status that it is going to have."""
    at: str
    notify_url: str
    status: str = "PROCESSING"
    success_time: str | None = None

    @property
    def amount_minor(self) -> int:
        return int(self.asked["amount"]["refund"])


@dataclass
class Trade:
    no: str
    asked: dict[str, Any]
    total: int
    currency: str
    notify_url: str
    state: str = "NOTPAY"
    transaction_id: str | None = None
    success_time: str | None = None
    refunds: list[Refund] = field(default_factory=list)

    @property
    def attach(self) -> str:
        return str(self.asked.get("attach", ""))


class State:
    """`gap_s`: least real seconds between two refunds of one order."""

    def __init__(self, ledger: Ledger, *, gap_s: float) -> None:
        self._ledger, self._gap_s = ledger, gap_s
        self.trades: dict[str, Trade] = {}
        self.refunds: dict[str, Refund] = {}
        self.declared: dict[str, dict[str, Any]] = {}
        """Customs declarations as they came, by sub-order."""

    def rebuild(self, rows: Iterable[Row]) -> None:
        for row in rows:
            self._apply(row)

    def create(self, no: str, asked: dict[str, Any]) -> Trade:
        """A new trade, or the same one again for the same request."""
        trade = self.trades.get(no)
        if trade is None:
            self._write("create", key=no, order_no=no, amount_minor=asked["amount"]["total"], asked=asked)
            return self.trades[no]
        if trade.state == "CLOSED":
            raise Denied(400, "ORDER_CLOSED", "the order is closed")
        if trade.asked != asked:
            raise Denied(403, "OUT_TRADE_NO_USED", "the order number exists with other parameters")
        if trade.state != "NOTPAY":
            raise Denied(400, "ORDERPAID", "the order is paid")
        return trade

    def find(self, no: str) -> Trade:
        trade = self.trades.get(no)
        if trade is None:
            raise Denied(404, "ORDER_NOT_EXIST", "no such order")
        return trade

    def close(self, no: str) -> None:
        trade = self.find(no)
        if trade.state == "CLOSED":
            raise Denied(400, "ORDER_CLOSED", "the order is closed")
        if trade.state != "NOTPAY":
            raise Denied(400, "ORDERPAID", "the order is paid")
        self._write("close", key=no, order_no=no, amount_minor=trade.total)

    def capture(
        self, no: str, transaction_id: str, now: dt.datetime, *, total: int, currency: str, late: bool
    ) -> Trade:
        """The buyer pays. `late`: the payment was under way when the order was closed."""
        trade = self.find(no)
        if trade.state == "CLOSED" and not late:
            raise Denied(400, "ORDER_CLOSED", "the order is closed")
        if trade.state not in ("NOTPAY", "CLOSED"):
            raise Denied(400, "ORDERPAID", "the order is paid")
        paid = {"currency": currency, "success_time": stamp(now), "late": late}
        self._write("capture", key=transaction_id, order_no=no, amount_minor=total, **paid)
        return trade

    def refund(self, asked: dict[str, Any], refund_id: str, now: dt.datetime, *, ends: str) -> tuple[Refund, bool]:
        """The refund and whether it is new. The same number with the same request is the same refund."""
        known = self.refunds.get(asked["out_refund_no"])
        if known is not None:
            if known.asked != asked:
                raise Denied(400, "INVALID_REQUEST", "the refund number exists with other parameters")
            return known, False
        trade = self._paid_by(asked)
        if trade is None:
            raise Denied(404, "RESOURCE_NOT_EXISTS", "no such order")
        self._refuse_refund(trade, asked["amount"], now)
        self._write(
            "refund",
            key=asked["out_refund_no"],
            order_no=trade.no,
            amount_minor=asked["amount"]["refund"],
            asked=asked,
            refund_id=refund_id,
            ends=ends,
            accepted_at=now.isoformat(),
        )
        return self.refunds[asked["out_refund_no"]], True

    def _paid_by(self, asked: dict[str, Any]) -> Trade | None:
        """By WeChat's own number where that is given, else by the merchant's."""
        if "transaction_id" in asked:
            return next((t for t in self.trades.values() if t.transaction_id == asked["transaction_id"]), None)
        return self.trades.get(asked["out_trade_no"])

    def finish(self, refund: Refund, now: dt.datetime) -> None:
        amount = refund.amount_minor
        self._write(
            "refund_end",
            key=refund.no,
            order_no=refund.order_no,
            amount_minor=amount,
            status=refund.ends,
            success_time=stamp(now) if refund.ends == "SUCCESS" else None,
        )

    def declare(self, asked: dict[str, Any]) -> dict[str, Any]:
        """A part of a paid order for customs. The same part again is the same; parts never exceed the whole."""
        trade = self.trades.get(asked["out_trade_no"])
        if trade is None or trade.success_time is None or trade.transaction_id != asked["transaction_id"]:
            raise Denied(400, "INVALID_REQUEST", "no such paid order")
        known = self.declared.get(asked["sub_order_no"])
        if known is not None and known != asked:
            raise Denied(400, "INVALID_REQUEST", "the sub-order is declared with other parameters")
        others = sum(d["order_fee"] for d in self.declared.values() if d["out_trade_no"] == trade.no and d is not known)
        if others + asked["order_fee"] > trade.total:
            raise Denied(400, "INVALID_REQUEST", "more than the order cost")
        if known is None:
            self._write(
                "declare", key=asked["sub_order_no"], order_no=trade.no, amount_minor=asked["order_fee"], asked=asked
            )
        return self.declared[asked["sub_order_no"]]

    def _refuse_refund(self, trade: Trade, amount: dict[str, Any], now: dt.datetime) -> None:
        if trade.success_time is None:
            raise Denied(400, "INVALID_REQUEST", "the order is not paid")
        if now - dt.datetime.fromisoformat(trade.success_time) > REFUND_WITHIN:
            raise Denied(400, "INVALID_REQUEST", "the order is older than a year")
        if amount["total"] != trade.total or amount.get("currency", "CNY") != trade.currency:
            raise Denied(400, "INVALID_REQUEST", "amount.total is not what the order cost")
        taken = sum(r.amount_minor for r in trade.refunds if r.status != "CLOSED")
        if taken + amount["refund"] > trade.total:
            raise Denied(400, "INVALID_REQUEST", "more than what is left of the order")
        if len(trade.refunds) >= MAX_REFUNDS:
            raise Denied(403, "RULE_LIMIT", f"an order has at most {MAX_REFUNDS} refunds")
        if trade.refunds and (now - dt.datetime.fromisoformat(trade.refunds[-1].at)).total_seconds() < self._gap_s:
            raise Denied(429, "FREQUENCY_LIMITED", "refunds of one order must be a minute apart")

    def _write(self, op: str, **row: Any) -> None:
        self._apply(self._ledger.add(op, **row))

    def _apply(self, row: Row) -> None:
        data = row.data
        if row.op == "create":
            asked = data["asked"]
            amount = asked["amount"]
            trade = Trade(row.order_no, asked, amount["total"], amount.get("currency", "CNY"), asked["notify_url"])
            self.trades[trade.no] = trade
        elif row.op == "capture":
            trade = self.trades[row.order_no]
            trade.state, trade.transaction_id, trade.success_time = "SUCCESS", row.key, data["success_time"]
            trade.total, trade.currency = row.amount_minor or 0, data["currency"]
        elif row.op == "close":
            self.trades[row.order_no].state = "CLOSED"
        elif row.op == "refund":
            trade = self.trades[row.order_no]
            url = data["asked"].get("notify_url") or trade.notify_url
            refund = Refund(row.key, trade.no, data["refund_id"], data["asked"], data["ends"], data["accepted_at"], url)
            trade.refunds.append(refund)
            trade.state = "REFUND"
            self.refunds[refund.no] = refund
        elif row.op == "declare":
            self.declared[row.key] = data["asked"]
        elif row.op == "refund_end":
            self.refunds[row.key].status = data["status"]
            self.refunds[row.key].success_time = data["success_time"]


def stamp(at: dt.datetime) -> str:
    """RFC 3339 in Beijing time, whole seconds, as the provider writes it."""
    return at.astimezone(dt.timezone(dt.timedelta(hours=8))).isoformat(timespec="seconds")
