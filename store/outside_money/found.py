"""What was found: kept once with its ticket, whoever tells it and however often, also when its order has ended."""

from collections.abc import Sequence
from datetime import datetime

from domain.facts import Fact
from domain.records import EventRecord, OrderWrite, TicketRecord, TicketResolution
from domain.refunds.chargebacks import DESK
from domain.refunds.outside import BankWord, OutsideKind, OutsideMoney, bank_word, outside_money, ticket_text, yuan
from domain.states import Outcome
from store.inbox.fact_outcomes import record_after_end
from store.outside_money.bank_words import ask_about, keep_word, one_after_the_other, said_of
from store.outside_money.chargebacks import decide_chargeback, known_chargeback
from store.pool import Connection, Pool, clean
from store.tickets.tickets import open_ticket, resolve_ticket

FIND = """
INSERT INTO outside_money (order_no, kind, source, number, key, transaction_id, merchant_id, amount_minor, currency,
    occurred_at, found_at, why)
VALUES ($1, $2, $3, $4, $5, $6, $7, $8, $9, $10, $11, $12) ON CONFLICT DO NOTHING RETURNING money_no"""

# What the books have by themselves: the order's own payment or refund, or a chargeback that a person has told. What was
# found before stays found, also when it is booked.
OURS = """
SELECT (EXISTS (SELECT FROM payments WHERE $2 = 'payment' AND key = $3 AND order_no = $1)
    OR EXISTS (SELECT FROM refunds WHERE $2 = 'refund' AND refund_no = $4 AND order_no = $1)
    OR EXISTS (SELECT FROM chargebacks WHERE $2 = 'chargeback' AND chargeback_id = $4 AND order_no = $1
        AND amount_minor = $5))
    AND NOT EXISTS (SELECT FROM outside_money WHERE order_no = $1 AND kind = $2 AND number = $4)"""

# What a chargeback was told as before by the same source, in other words; and of those told, who still waits.
TOLD_BEFORE = """
SELECT money_no, amount_minor FROM outside_money
WHERE order_no = $1 AND kind = 'chargeback' AND ($2::text IS NULL OR source = $2) AND number = $3
ORDER BY money_no LIMIT 1"""
WAITING = """
SELECT m.money_no, m.amount_minor, m.currency FROM outside_money m
JOIN tickets t ON t.ticket_id = 'T-money-' || m.money_no AND t.state = 'open'
WHERE m.order_no = $1 AND m.kind = 'chargeback' AND m.number = $2 ORDER BY m.money_no"""

TOLD_BY_US = """
SELECT money_no FROM outside_money
WHERE order_no = $1 AND kind = 'payment' AND source = $2 AND number = $3 AND told_by IS NOT NULL"""

STATUS = "SELECT status FROM orders WHERE order_no = $1"
CURRENCY = "SELECT currency FROM orders WHERE order_no = $1"


async def keep_outside(connection: Connection, write: OrderWrite) -> OrderWrite:
    """Inside the transaction of an order's write: as its events are to be recorded."""
    if not any(event.outside or event.bank for event in write.events):
        return write
    events = []
    for event in write.events:
        if event.outside is not None:
            await keep_found(connection, write.order_no, event.outside, write.at)
        events.append(event if event.bank is None else await _heard(connection, write.order_no, event, write.at))
    return write.model_copy(update={"events": tuple(events)})


async def _heard(connection: Connection, order_no: str, event: EventRecord, at: datetime) -> EventRecord:
    assert event.bank is not None
    outcome, note = await hear(connection, order_no, event.bank, at)
    return event.model_copy(update={"outcome": outcome, "note": note[:500]})


async def hear(connection: Connection, order_no: str, word: BankWord, at: datetime) -> tuple[Outcome, str]:
    """Inside a transaction: what a source's word of a chargeback's end does to the books, which is what a person's does
    (`decide_chargeback`); and a ticket where it does not fit. Said again, or in any order, it does the same once."""
    number, amount = word.money.number, word.money.amount_minor
    await one_after_the_other(connection, number)
    before = await said_of(connection, order_no, number)
    word_no = await keep_word(connection, order_no, word, at)
    if word_no is None:
        return Outcome.DUPLICATE, "said before"
    known, currency = await known_chargeback(connection, number), await connection.fetchval(CURRENCY, order_no)
    what = ""
    if known is not None and known.order_no != order_no:
        what = f"it is of order {known.order_no} in the books"
    elif word.money.currency != currency:
        what = f"the order is in {currency}"
    elif known is not None and known.amount_minor != amount:
        what = f"it is recorded with {yuan(known.amount_minor, currency)}"
    elif known is not None:
        was = await decide_chargeback(connection, known, word.outcome, word.money.source, at)
        if was == "open":
            return Outcome.APPLIED, word.told
        if was == word.outcome:
            return Outcome.DUPLICATE, f"it is recorded as {was}"
        what = f"it was {was}"
    elif before:
        what = f"it was told otherwise before: {'; '.join(map(str, before))}"
    else:
        what = await _not_opened_yet(connection, order_no, word, at)
    if not what:
        return Outcome.APPLIED, word.told
    told = f"{word.told}; but {what}"
    await ask_about(connection, order_no, number, word.money.source, told, at, f"T-bank-{word_no}")
    return Outcome.MISMATCH, told


async def _not_opened_yet(connection: Connection, order_no: str, word: BankWord, at: datetime) -> str:
    """Why it does not fit what was told; ''. Won: nothing is left to be booked. Lost: the money is gone, and finance
    books it as it books any that was told."""
    money = word.money
    waiting = await connection.fetch(WAITING, order_no, money.number)
    for row in waiting:
        if (row["amount_minor"], row["currency"]) != (money.amount_minor, money.currency):
            return f"M{row['money_no']} told {yuan(row['amount_minor'] or 0, row['currency'])}"
    if word.outcome == "won":
        for row in waiting:
            await _nothing_to_book(connection, row["money_no"], money.source, at)
        return ""
    dropped = await connection.fetchrow(TOLD_BEFORE, order_no, None, money.number)
    if waiting:
        return ""
    if dropped is not None:
        number = dropped["money_no"]
        return f"that M{number} tells of it was dropped: `oms money ask {number} book_chargeback` if the money is gone"
    await keep_found(connection, order_no, money, at)
    return ""


async def _nothing_to_book(connection: Connection, money_no: int, source: str, at: datetime) -> None:
    answer = TicketResolution(
        ticket_id=money_ticket(money_no),
        action="evidence",
        remark=f"it was won, told by {source}",
        resolved_by="system",
    )
    await resolve_ticket(connection, answer, at, outside=True)


async def keep_found(connection: Connection, order_no: str, money: OutsideMoney, at: datetime) -> None:
    """Inside a transaction. What is known opens nothing."""
    disputed = money.kind is OutsideKind.CHARGEBACK
    if disputed:
        await one_after_the_other(connection, money.number)
    if await connection.fetchval(OURS, order_no, money.kind, money.key, money.number, money.amount_minor):
        return
    args = (money.transaction_id, clean(money.merchant_id), money.amount_minor, money.currency)
    number = await connection.fetchval(
        FIND, order_no, money.kind, money.source, clean(money.number), clean(money.key), *args, money.occurred_at, at,
        clean(money.why),
    )  # fmt: skip
    if number is not None:
        await open_ticket(connection, _question(number, order_no, money), order_no, at, outside=True)
        said = await said_of(connection, order_no, money.number) if disputed else ()
        if said and all(s.outcome == "won" and s.fits(money.amount_minor) for s in said):
            await _nothing_to_book(connection, number, said[0].source, at)
    elif disputed:
        await _told_otherwise(connection, order_no, money, at)
    elif number := await connection.fetchval(TOLD_BY_US, order_no, money.source, money.number):
        # Nobody is asked by a ticket about what one of us has told; now the channel has told it too, and it does not
        # fit.
        await open_ticket(connection, _question(number, order_no, money), order_no, at, outside=True)


async def _told_otherwise(connection: Connection, order_no: str, money: OutsideMoney, at: datetime) -> None:
    """The same source tells the same chargeback again: with another amount a person has to say which is right."""
    before = await connection.fetchrow(TOLD_BEFORE, order_no, money.source, money.number)
    if before is None or before["amount_minor"] == money.amount_minor:
        return
    name, was = money_ticket(before["money_no"]), yuan(before["amount_minor"] or 0, money.currency)
    await ask_about(
        connection, order_no, money.number, money.source, f"{money.told}; but {was} was told before (M"
        f"{before['money_no']})", at, f"{name}-told"
    )  # fmt: skip


class MoneyAfterEnd:
    """Money of orders that have ended: nobody listens any more, the books do."""

    def __init__(self, pool: Pool) -> None:
        self._pool = pool

    async def keep(self, order_no: str, facts: Sequence[Fact], at: datetime) -> frozenset[str]:
        """Keys of the facts that are dealt with: they tell of money which is not the order's own."""
        async with self._pool.acquire() as connection, connection.transaction():
            events = [
                event for fact in facts if (event := await self._kept(connection, order_no, fact, at)) is not None
            ]
            await record_after_end(connection, order_no, at, events, heard=False)
        return frozenset(event.key for event in events)

    async def _kept(self, connection: Connection, order_no: str, fact: Fact, at: datetime) -> EventRecord | None:
        status = str(await connection.fetchval(STATUS, order_no))
        if (
            fact.source == DESK
        ):  # the books have it from a person: only the order was to hear it, and has nothing to hold
            return _of(fact, Outcome.STALE, status, "the order has ended")
        if (word := bank_word(fact)) is not None:
            return await _heard(connection, order_no, _after_end(fact, word.money, status, word), at)
        money = outside_money(fact, "its order has ended")
        if money is None:
            return None
        args = (order_no, money.kind, money.key, money.number, money.amount_minor)
        if money.kind is not OutsideKind.CHARGEBACK and await connection.fetchval(OURS, *args):
            return None
        await keep_found(connection, order_no, money, at)
        return _after_end(fact, money, status)


def _after_end(fact: Fact, money: OutsideMoney, status: str, word: BankWord | None = None) -> EventRecord:
    return _of(fact, Outcome.MISMATCH, status, money.told, word)


def _of(fact: Fact, outcome: Outcome, status: str, note: str, word: BankWord | None = None) -> EventRecord:
    return EventRecord(
        key=fact.key,
        kind=fact.kind,
        source=fact.source,
        occurred_at=fact.occurred_at,
        outcome=outcome,
        from_status=status,
        to_status=status,
        note=note[:500],
        inbox_id=fact.inbox_id,
        bank=word,
    )


def money_ticket(money_no: int) -> str:
    return f"T-money-{money_no}"


def _question(money_no: int, order_no: str, money: OutsideMoney) -> TicketRecord:
    return TicketRecord(
        ticket_id=money_ticket(money_no),
        system=money.source,
        step={
            OutsideKind.REFUND: "refund made outside",
            OutsideKind.PAYMENT: "payment does not fit",
            OutsideKind.CHARGEBACK: "chargeback told",
        }[money.kind],
        error=ticket_text(money_no, order_no, money),
        severity="urgent",
        actions=("give_up",),
        give_up_means=money.dropped_means,
    )
