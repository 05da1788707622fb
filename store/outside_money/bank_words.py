"""What sources have said of a chargeback's end: kept once a word; where words do not fit, a person is asked (N17)."""

from datetime import datetime
from typing import NamedTuple

from domain.records import TicketRecord, TicketResolution
from domain.refunds.outside import BankWord, yuan
from store.pool import Connection, clean
from store.tickets.tickets import open_ticket, resolve_ticket

KEEP = """
INSERT INTO bank_words (order_no, chargeback_id, outcome, amount_minor, currency, source, key, occurred_at, heard_at)
VALUES ($1, $2, $3, $4, $5, $6, $7, $8, $9) ON CONFLICT DO NOTHING RETURNING word_no"""

SAID = """
SELECT w.outcome, w.amount_minor, w.currency, w.source, w.currency = o.currency AS in_its_currency
FROM bank_words w JOIN orders o USING (order_no)
WHERE w.order_no = $1 AND w.chargeback_id = $2 ORDER BY w.word_no"""

# Held to the end of the transaction: a word and the opening of its chargeback are heard one after the other, so that
# who comes second sees the first. Taken by the relay too, which may lock no row of an order.
LOCK = "SELECT pg_advisory_xact_lock(hashtextextended($1, 2))"

ASKED = """
SELECT ticket_id FROM tickets
WHERE order_no = $1 AND step = $2 AND state = 'open' AND starts_with(error, $3 || ': ')"""

DIFFERS = "chargeback told otherwise"
"""Step of the ticket: while one is open, no refund of its order goes out (`store/disputes.py`)."""


class SaidOfIt(NamedTuple):
    outcome: str
    amount_minor: int
    currency: str
    source: str
    in_its_currency: bool

    def fits(self, amount_minor: int | None) -> bool:
        return self.in_its_currency and self.amount_minor == amount_minor

    def __str__(self) -> str:
        return f"{self.source}: {self.outcome}, {yuan(self.amount_minor, self.currency)}"


async def one_after_the_other(connection: Connection, chargeback_id: str) -> None:
    await connection.execute(LOCK, clean(chargeback_id))


async def keep_word(connection: Connection, order_no: str, word: BankWord, at: datetime) -> int | None:
    """Its number; None: said before."""
    money = word.money
    told = (word.outcome, money.amount_minor or 0, money.currency or "", money.source, clean(money.key))
    number: int | None = await connection.fetchval(KEEP, order_no, clean(money.number), *told, money.occurred_at, at)
    return number


async def said_of(connection: Connection, order_no: str, chargeback_id: str) -> tuple[SaidOfIt, ...]:
    """Earliest first."""
    return tuple(SaidOfIt(**row) for row in await connection.fetch(SAID, order_no, clean(chargeback_id)))


async def answered(connection: Connection, order_no: str, chargeback_id: str, what: str, at: datetime) -> None:
    """Everything that was said fits the books now."""
    asked = await connection.fetchval(ASKED, order_no, DIFFERS, _name(order_no, chargeback_id))
    if asked is not None:
        answer = TicketResolution(ticket_id=asked, action="evidence", remark=what, resolved_by="system")
        await resolve_ticket(connection, answer, at, outside=True)


def _name(order_no: str, chargeback_id: str) -> str:
    return f"chargeback {clean(chargeback_id)} of order {order_no}"


async def ask_about(
    connection: Connection, order_no: str, chargeback_id: str, source: str, what: str, at: datetime, ticket_id: str
) -> None:
    """One question of a chargeback at a time, however many words do not fit."""
    name = _name(order_no, chargeback_id)
    if await connection.fetchval(ASKED, order_no, DIFFERS, name):
        return
    ticket = TicketRecord(
        ticket_id=ticket_id,
        system=source,
        step=DIFFERS,
        error=f"{name}: {what}. Nothing was booked by it and refunds of the order wait: compare with the bank's letter",
        severity="urgent",
        actions=("give_up",),
        give_up_means="the books stay as they are, and refunds of the order go out again within them",
    )
    await open_ticket(connection, ticket, order_no, at, outside=True)
