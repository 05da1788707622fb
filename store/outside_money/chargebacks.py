"""Money that the buyer's bank takes back: never more than was paid together with refunds, payouts on hold (N17)."""

import hashlib
import json
from dataclasses import dataclass, replace
from datetime import datetime
from typing import Literal

from domain.facts import Fact, Kind
from domain.records import AuditEntry, TicketRecord, TicketResolution
from domain.refunds.chargebacks import DESK
from domain.refunds.outside import yuan
from store.audit.audit import append_entry
from store.errors import OrderRefused
from store.inbox.intake import Incoming, add_many
from store.outside_money.bank_words import answered, ask_about, one_after_the_other, said_of
from store.pool import Connection, Pool
from store.tickets.tickets import open_ticket, resolve_ticket

ORDER = "SELECT order_no FROM orders WHERE order_no = $1 FOR NO KEY UPDATE"

# The payment that is meant; without a key the oldest one that has enough left, else the oldest.
PAYMENT = """
SELECT payment_key, paid_minor, paid_minor - reserved_minor - charged_back_minor AS left_minor FROM payment_balances
WHERE order_no = $1 AND ($2::text IS NULL OR payment_key = $2)
ORDER BY (paid_minor - reserved_minor - charged_back_minor >= $3) DESC, paid_at, payment_key LIMIT 1
FOR NO KEY UPDATE"""

ENDED = "SELECT ended_at IS NOT NULL FROM orders WHERE order_no = $1"

KNOWN = "SELECT order_no, payment_key, amount_minor, overlap_minor, state FROM chargebacks WHERE chargeback_id = $1"

OPEN = """
INSERT INTO chargebacks (chargeback_id, payment_key, order_no, amount_minor, overlap_minor, opened_at)
VALUES ($1, $2, $3, $4, $5, $6)"""

TAKE = "UPDATE payment_balances SET charged_back_minor = charged_back_minor + $2 WHERE payment_key = $1"

ACCOUNT = "UPDATE chargebacks SET accounted_at = coalesce(accounted_at, $2) WHERE chargeback_id = $1"

SAY = """
INSERT INTO chargeback_sayings (chargeback_id, word, said_by, said_at, remark) VALUES ($1, $2, $3, $4, $5)
ON CONFLICT DO NOTHING"""
SAID_BY = "SELECT said_by FROM chargeback_sayings WHERE chargeback_id = $1 AND word = $2"

# Through the owner's function: the state before.
DECIDE = "SELECT decide_chargeback($1, $2, $3)"


class ChargebackRefused(OrderRefused):
    """It does not fit the order's payments, or was decided otherwise."""


@dataclass(frozen=True)
class Chargeback:
    """`overlap_minor`: what refunds had given back before; claimed twice, so it is to be contested. `waits_since`: who
    has said what the caller says, and a second person has not."""

    chargeback_id: str
    order_no: str
    payment_key: str
    amount_minor: int
    overlap_minor: int
    state: str
    waits_since: str | None = None


@dataclass(frozen=True)
class NewChargeback:
    chargeback_id: str
    order_no: str
    amount_minor: int
    by: str
    payment_key: str | None = None


class ChargebackStore:
    def __init__(self, pool: Pool) -> None:
        self._pool = pool

    async def open(self, new: NewChargeback, at: datetime) -> Chargeback:
        """Holds the order's payouts, takes what is left of the payment out of reach of refunds, tells a person. The
        same one again is the same. Raises `ChargebackRefused`."""
        async with self._pool.acquire() as connection, connection.transaction():
            made = await open_chargeback(connection, new, at)
            if made.state == "open":
                await _tell_order(connection, made, Kind.CHARGEBACK_OPENED, at)
            return made

    async def decide(self, chargeback_id: str, outcome: Literal["lost", "won"], by: str, at: datetime) -> Chargeback:
        """A person's word, which counts when a second person says the same; a source's does so alone
        (`decide_chargeback`). Raises `ChargebackRefused`."""
        async with self._pool.acquire() as connection, connection.transaction():
            known = await _locked(connection, chargeback_id)
            if known is None:
                raise ChargebackRefused(f"chargeback {chargeback_id} cannot be {outcome}: it is not in the books")
            if known.state not in ("open", outcome):
                raise ChargebackRefused(f"chargeback {chargeback_id} cannot be {outcome}: it was {known.state}")
            if known.state == outcome:
                return known
            if (first := await _first_to_say(connection, known, outcome, by, at)) is not None:
                return replace(known, waits_since=first)
            await decide_chargeback(connection, known, outcome, by, at)
            if outcome == "won":
                await _tell_order(connection, known, Kind.CHARGEBACK_WON, at)
            return replace(known, state=outcome)

    async def account(self, chargeback_id: str, by: str, remark: str, at: datetime) -> Chargeback:
        """Two people have compared what a bank took for good with what is owed: refunds of the order go out again,
        within what is left of the payment. Raises `ChargebackRefused`."""
        async with self._pool.acquire() as connection, connection.transaction():
            known = await _locked(connection, chargeback_id)
            if known is None or known.state != "lost":
                was = "is not in the books" if known is None else f"is {known.state}"
                raise ChargebackRefused(f"chargeback {chargeback_id} cannot be accounted for: it {was}, not lost")
            if (first := await _first_to_say(connection, known, "accounted", by, at, remark)) is not None:
                return replace(known, waits_since=first)
            await connection.execute(ACCOUNT, chargeback_id, at)
            await _tell(connection, known, "chargeback.accounted", by, at, remark=remark)
            return known


async def open_chargeback(connection: Connection, new: NewChargeback, at: datetime) -> Chargeback:
    """Inside a transaction; as `ChargebackStore.open`."""
    if await connection.fetchval(ORDER, new.order_no) is None:
        raise ChargebackRefused(f"order {new.order_no} is not in the books; check the number")
    await one_after_the_other(connection, new.chargeback_id)
    known = await known_chargeback(connection, new.chargeback_id)
    if known is None:
        made = await _open(connection, new, at)
        return await _end_as_was_said(connection, made, at)
    if (known.order_no, known.amount_minor) != (new.order_no, new.amount_minor):
        raise ChargebackRefused(
            f"chargeback {new.chargeback_id} is of {known.amount_minor} of order {known.order_no} already"
        )
    return known


async def _open(connection: Connection, new: NewChargeback, at: datetime) -> Chargeback:
    payment = await connection.fetchrow(PAYMENT, new.order_no, new.payment_key, new.amount_minor)
    if payment is None or new.amount_minor > payment["paid_minor"]:
        raise ChargebackRefused(
            f"order {new.order_no} has no payment {new.payment_key or 'at all'} of at least {new.amount_minor}; "
            "check order, payment and amount"
        )
    takes = min(new.amount_minor, payment["left_minor"])
    made = Chargeback(
        chargeback_id=new.chargeback_id,
        order_no=new.order_no,
        payment_key=payment["payment_key"],
        amount_minor=new.amount_minor,
        overlap_minor=new.amount_minor - takes,
        state="open",
    )
    args = (made.chargeback_id, made.payment_key, made.order_no, made.amount_minor, made.overlap_minor, at)
    await connection.execute(OPEN, *args)
    await connection.execute(TAKE, made.payment_key, takes)
    await open_ticket(connection, _question(made), made.order_no, at, outside=True)
    await _tell(connection, made, "chargeback.open", new.by, at)
    return made


async def _end_as_was_said(connection: Connection, made: Chargeback, at: datetime) -> Chargeback:
    """Its end may have been told before it was in the books."""
    said = await said_of(connection, made.order_no, made.chargeback_id)
    if len({(s.outcome, s.fits(made.amount_minor)) for s in said}) == 1 and said[0].fits(made.amount_minor):
        await decide_chargeback(connection, made, said[0].outcome, said[0].source, at)
        await answered(connection, made.order_no, made.chargeback_id, f"recorded, and {said[0].outcome}", at)
        return replace(made, state=said[0].outcome)
    if said:
        amount = yuan(made.amount_minor, said[0].currency if said[0].in_its_currency else None)
        what = f"it is recorded with {amount}, and was told as ended before: {'; '.join(map(str, said))}"
        await ask_about(
            connection, made.order_no, made.chargeback_id, said[0].source, what, at, f"{_ticket(made)}-told"
        )
    return made


async def decide_chargeback(connection: Connection, known: Chargeback, outcome: str, by: str, at: datetime) -> str:
    """Inside a transaction; ends the hold, once. `won`: the money stays ours and can be refunded again; `lost`: it is
    gone for good. The state before: 'open' when this was the decision."""
    was = str(await connection.fetchval(DECIDE, known.chargeback_id, outcome, at))
    if was == "open":
        answer = TicketResolution(
            ticket_id=_ticket(known), action="evidence", remark=f"{outcome}, told by {by}", resolved_by="system"
        )
        await resolve_ticket(connection, answer, at, outside=True)
        await _tell(connection, known, f"chargeback.{outcome}", by, at)
    return was


async def _tell_order(connection: Connection, known: Chargeback, kind: Kind, at: datetime) -> None:
    """In the transaction of what people have entered: what has not left is held, or goes on (R81). An order that has
    ended has nothing to hold."""
    if await connection.fetchval(ENDED, known.order_no):
        return
    key = f"{DESK}:{known.chargeback_id}:{kind}"[:200]
    fact = Fact(
        key=key, kind=kind, source=DESK, occurred_at=at, order_no=known.order_no, chargeback_no=known.chargeback_id
    )
    body = json.dumps({"chargeback": known.chargeback_id, "kind": kind}).encode()
    message = Incoming(DESK, key, kind, hashlib.sha256(body).digest(), body, (fact,), at, via="query")
    await add_many(connection, [message])


async def _first_to_say(
    connection: Connection, known: Chargeback, word: str, by: str, at: datetime, remark: str | None = None
) -> str | None:
    """Who has said it, when nobody else has; None: the caller is the second."""
    if await connection.execute(SAY, known.chargeback_id, word, by, at, remark) == "INSERT 0 1":
        await _tell(connection, known, f"chargeback.{word}.said", by, at, **({"remark": remark} if remark else {}))
        return by
    first = str(await connection.fetchval(SAID_BY, known.chargeback_id, word))
    return first if first == by else None


async def _locked(connection: Connection, chargeback_id: str) -> Chargeback | None:
    await one_after_the_other(connection, chargeback_id)
    return await known_chargeback(connection, chargeback_id)


async def known_chargeback(connection: Connection, chargeback_id: str) -> Chargeback | None:
    row = await connection.fetchrow(KNOWN, chargeback_id)
    return None if row is None else Chargeback(chargeback_id=chargeback_id, **row)


async def _tell(connection: Connection, c: Chargeback, action: str, by: str, at: datetime, **more: str | int) -> None:
    detail = {"chargeback_id": c.chargeback_id, "amount_minor": c.amount_minor, "overlap_minor": c.overlap_minor} | more
    await append_entry(connection, AuditEntry(actor=by, action=action, detail=detail), at, c.order_no)


def _ticket(c: Chargeback) -> str:
    return f"T-CB-{c.chargeback_id}"


def _question(c: Chargeback) -> TicketRecord:
    twice = f"; {c.overlap_minor} of it had been refunded already: contest that" if c.overlap_minor else ""
    return TicketRecord(
        ticket_id=_ticket(c),
        system="payment",
        step="chargeback",
        error=f"the buyer's bank takes back {c.amount_minor} of order {c.order_no}{twice}; its payouts are on hold",
        severity="urgent",
        actions=("supply", "give_up"),
        give_up_means="it stays open until a source tells what the bank decided, or two of finance "
        "by `oms order chargeback-decided`",
    )
