"""Money from outside that a person's decision makes count: asked for, approved by finance, booked once (R44, R48)."""

from collections.abc import Mapping
from dataclasses import dataclass
from datetime import datetime
from typing import Any

from pydantic import ValidationError

from domain.approvals import ApprovalRequest, Decided, Role, ask
from domain.records import AuditEntry, Payment, TicketResolution
from domain.refunds.outside import ANSWERS, BookAs, MoneyBooking, OutsideKind, OutsideMoney, yuan
from domain.strict import faults, of
from store.approvals.approvals import Approval, ApprovalStore
from store.audit.audit import append_entry
from store.outside_money.effects import BookingEffect, BookingRefused, apply, as_payment
from store.outside_money.found import money_ticket
from store.pool import Connection, Pool, Row, clean
from store.tickets.tickets import resolve_ticket

APPROVER = Role.FINANCE

# What one of us has told has no ticket: it waits as long as its question does, and to be booked.
ASKED = """coalesce(t.state = 'open', m.told_by IS NOT NULL AND b.money_no IS NULL AND EXISTS (
        SELECT FROM approvals a WHERE a.subject = 'money/' || m.money_no AND a.state IN ('open', 'approved')))"""

COLUMNS = f"""m.money_no, m.order_no, m.kind, m.source, m.number, m.key, m.transaction_id, m.merchant_id,
    m.amount_minor, m.currency, m.occurred_at, m.found_at, m.why, b.book_as, b.refund_no, b.approval_id,
    b.approved_by, b.booked_by, b.booked_at, b.evidence, m.told_by, {ASKED} AS asked"""

# Oldest first.
LIST = f"""
SELECT {COLUMNS} FROM outside_money m
LEFT JOIN outside_bookings b USING (money_no)
LEFT JOIN tickets t ON t.ticket_id = 'T-money-' || m.money_no
WHERE ($1::text IS NULL OR m.order_no = $1) AND ($2::bigint IS NULL OR m.money_no = $2)
    AND ($3 OR {ASKED}) ORDER BY m.money_no LIMIT $4"""  # noqa: S608 - our own column list

# One after the other with everybody who moves money of the order.
LOCK = "SELECT order_no FROM orders WHERE order_no = $1 FOR NO KEY UPDATE"

BOOK = """
INSERT INTO outside_bookings (money_no, order_no, book_as, amount_minor, refund_no, payment_key, approval_id, asked_by,
    approved_by, booked_by, booked_at, evidence)
VALUES ($1, $2, $3, $4, $5, $6, $7, $8, $9, $10, $11, $12)"""


@dataclass(frozen=True)
class FoundMoney:
    """`asked`: its ticket is open, or what was told waits to be decided or booked. Of one that was booked: as what,
    when, by whose decision. `told_by`: one of us; None: the channel."""

    money_no: int
    order_no: str
    money: OutsideMoney
    found_at: datetime
    asked: bool
    book_as: str | None
    refund_no: str | None
    approval_id: str | None
    approved_by: str | None
    booked_by: str | None
    booked_at: datetime | None
    evidence: str | None
    told_by: str | None = None


@dataclass(frozen=True)
class BookingProgress:
    """How far a booking has come: `asked`, `rejected`, `approved` or `booked`."""

    state: str
    request: ApprovalRequest
    effect: BookingEffect | None = None


class OutsideMoneyStore:
    def __init__(self, pool: Pool) -> None:
        self._pool = pool
        self._approvals = ApprovalStore(pool)

    async def list(
        self, order_no: str | None = None, *, everything: bool = False, limit: int = 100
    ) -> tuple[FoundMoney, ...]:
        """Oldest first; without `everything` what waits for a person."""
        return tuple(_found(row) for row in await self._pool.fetch(LIST, order_no, None, everything, limit))

    async def get(self, money_no: int) -> FoundMoney:
        """Raises `BookingRefused`."""
        async with self._pool.acquire() as connection:
            return await _get(connection, money_no)

    async def ask(
        self,
        money_no: int,
        book_as: BookAs,
        by: str,
        at: datetime,
        *,
        evidence: str,
        amount_minor: int | None = None,
        units: Mapping[str, int] | None = None,
    ) -> ApprovalRequest:
        """The question to finance; asked again with the same content, the same one. Whatever would be refused when it
        is booked is refused here, with nothing changed. Raises `BookingRefused`."""
        found = await self.get(money_no)
        booking = _booking(found, book_as, evidence, amount_minor, dict(units or {}))
        async with self._pool.acquire() as connection:
            trial = connection.transaction()
            await trial.start()
            try:
                await _insist_open(connection, found)
                await apply(connection, found.money, booking, at)
            finally:
                await trial.rollback()
        asked = await self._approvals.list(state=None, subject=_subject(money_no), limit=1000)
        content = booking.model_dump(mode="json")
        if asked and asked[-1].state in ("open", "approved"):
            known = asked[-1].request
            if known.content == content:
                return known
            raise BookingRefused(
                f"M{money_no} is asked for otherwise already ({known.approval_id}, {asked[-1].state}): have that "
                "decided, or book it, first"
            )
        request = ask(
            "outside_money", subject=_subject(money_no), n=len(asked) + 1, version=len(asked) + 1, role=APPROVER,
            requested_by=by, content=content, order_no=found.order_no,
        )  # fmt: skip
        await self._approvals.open(request, None, at)
        return request

    async def approval(self, money_no: int) -> Approval:
        """The latest question. Raises `BookingRefused`."""
        asked = await self._approvals.list(state=None, subject=_subject(money_no), limit=1000)
        if not asked:
            raise BookingRefused(f"nobody has asked what M{money_no} counts as: `oms money ask {money_no}`")
        return asked[-1]

    async def book(self, money_no: int, by: str, at: datetime) -> BookingProgress:
        """Books what was approved; else tells what it waits for. Again, it changes nothing. Of a payment only its
        order's workflow does it, which goes on with it (`book_payment`): `approved`. Raises `BookingRefused`,
        `DecisionRefused`."""
        approval = await self.approval(money_no)
        request = approval.request
        if approval.state != "approved":
            return BookingProgress("asked" if approval.state == "open" else "rejected", request)
        if of(MoneyBooking, request.content).book_as in (BookAs.GIVE_BACK, BookAs.PAYMENT):
            return BookingProgress("booked" if (await self.get(money_no)).booked_at else "approved", request)
        return await self._book(request, by, at)

    async def book_payment(self, money_no: int, order_no: str, by: str, at: datetime) -> tuple[BookAs, Payment, str]:
        """For the order's workflow: as what the payment counts, and the refund number that gives it back if it does.
        Again, the same. Raises `BookingRefused`, `DecisionRefused`."""
        approval = await self.approval(money_no)
        booking = of(MoneyBooking, approval.request.content)
        if booking.order_no != order_no or booking.book_as not in (BookAs.GIVE_BACK, BookAs.PAYMENT):
            raise BookingRefused(f"M{money_no} is no payment of order {order_no}")
        await self._book(approval.request, by, at)
        found = await self.get(money_no)
        return booking.book_as, as_payment(found.money), booking.refund_no

    async def _book(self, request: ApprovalRequest, by: str, at: datetime) -> BookingProgress:
        decided = await self._approvals.use(request.approval_id, request.content_hash, request.subject, at)
        booking = of(MoneyBooking, request.content)
        async with self._pool.acquire() as connection, connection.transaction():
            await connection.execute(LOCK, booking.order_no)
            found = await _get(connection, booking.money_no)
            if found.approval_id == request.approval_id:
                return BookingProgress("booked", request)
            await _insist_open(connection, found)
            effect = await apply(connection, found.money, booking, at)
            await _write(connection, found, booking, request, decided, by, at, effect)
        return BookingProgress("booked", request, effect)


async def _write(
    connection: Connection,
    found: FoundMoney,
    booking: MoneyBooking,
    request: ApprovalRequest,
    decided: Decided,
    by: str,
    at: datetime,
    effect: BookingEffect,
) -> None:
    people = (request.approval_id, request.requested_by, decided.person_id, by)
    payment_key = effect.payment.key if effect.payment else None
    own_key = payment_key if effect.settles is None else None
    for number, key in ((found.money_no, own_key), (effect.settles, payment_key)):
        if number is None:
            continue
        args = (number, found.order_no, booking.book_as, booking.amount_minor, effect.refund_no, key)
        await connection.execute(BOOK, *args, *people, at, clean(booking.evidence))
        answer = TicketResolution(
            ticket_id=money_ticket(number), action="supply", remark=f"{booking.book_as} by {request.approval_id}",
            resolved_by=by, result=request.content,
        )  # fmt: skip
        await resolve_ticket(connection, answer, at, outside=True)
    detail: dict[str, Any] = {**request.content, "approval_id": request.approval_id, "approved_by": decided.person_id}
    await append_entry(connection, AuditEntry(actor=by, action="money.booked", detail=detail), at, found.order_no)


async def _insist_open(connection: Connection, found: FoundMoney) -> None:
    if found.booked_at is not None:
        raise BookingRefused(
            f"M{found.money_no} is booked already: {found.book_as} by {found.approved_by} ({found.approval_id})"
        )


def _booking(
    found: FoundMoney, book_as: BookAs, evidence: str, amount_minor: int | None, units: dict[str, int]
) -> MoneyBooking:
    money, name = found.money, f"M{found.money_no}"
    if book_as not in ANSWERS[money.kind]:
        may = " or ".join(ANSWERS[money.kind])
        raise BookingRefused(f"{name} is a {money.kind}: it can be booked as {may}, not as {book_as}")
    if amount_minor is None and money.amount_minor is None:
        raise BookingRefused(f"{name}: {money.source} tells no amount; look there and give it with --amount-minor")
    if amount_minor is not None and money.amount_minor not in (None, amount_minor):
        told, currency = money.amount_minor or 0, money.currency
        raise BookingRefused(
            f"{name}: {money.source} tells {yuan(told, currency)}; that is what can be booked, no more"
        )
    content = {
        "money_no": found.money_no, "order_no": found.order_no, "book_as": book_as, "channel": money.source,
        "number": money.number, "amount_minor": money.amount_minor if amount_minor is None else amount_minor,
        "currency": money.currency or "CNY", "units": units, "evidence": evidence,
    }  # fmt: skip
    try:
        return of(MoneyBooking, content)
    except ValidationError as error:
        raise BookingRefused(f"{name} cannot be booked so: {faults(error)}") from None


def _subject(money_no: int) -> str:
    return f"money/{money_no}"


async def _get(connection: Connection, money_no: int) -> FoundMoney:
    row = await connection.fetchrow(LIST, None, money_no, True, 1)
    if row is None:
        raise BookingRefused(f"no money M{money_no} was found; look with `oms money list --all`")
    return _found(row)


def _found(row: Row) -> FoundMoney:
    values = dict(row)
    money = {name: values.pop(name) for name in OutsideMoney.model_fields}
    return FoundMoney(
        money=OutsideMoney(**{**money, "kind": OutsideKind(money["kind"])}),
        **{**values, "asked": bool(values["asked"])},
    )


__all__ = ["BookingProgress", "BookingRefused", "FoundMoney", "OutsideMoneyStore"]
