"""What was found: kept once with its ticket, whoever tells it and however often, also when its order has ended."""

from collections.abc import Sequence
from datetime import datetime

from domain.facts import Fact
from domain.records import EventRecord, OrderWrite, TicketRecord
from domain.refunds.outside import OutsideKind, OutsideMoney, outside_money, ticket_text
from domain.states import Outcome
from store.inbox.fact_outcomes import record_after_end
from store.pool import Connection, Pool, clean
from store.tickets.tickets import open_ticket

FIND = """
INSERT INTO outside_money (order_no, kind, source, number, key, transaction_id, merchant_id, amount_minor, currency,
    occurred_at, found_at, why)
VALUES ($1, $2, $3, $4, $5, $6, $7, $8, $9, $10, $11, $12) ON CONFLICT DO NOTHING RETURNING money_no"""

# What the books have by themselves: the order's own payment or refund, or a chargeback that a person has told. What was
# found before stays found, also when it is booked.
OURS = """
SELECT (EXISTS (SELECT FROM payments WHERE $2 = 'payment' AND key = $3 AND order_no = $1)
    OR EXISTS (SELECT FROM refunds WHERE $2 = 'refund' AND refund_no = $4 AND order_no = $1)
    OR EXISTS (SELECT FROM chargebacks WHERE $2 = 'chargeback' AND chargeback_id = $4 AND order_no = $1))
    AND NOT EXISTS (SELECT FROM outside_money WHERE order_no = $1 AND kind = $2 AND number = $4)"""

STATUS = "SELECT status FROM orders WHERE order_no = $1"


async def keep_outside(connection: Connection, write: OrderWrite) -> None:
    """Inside the transaction of an order's write."""
    for event in write.events:
        if event.outside is not None:
            await keep_found(connection, write.order_no, event.outside, write.at)


async def keep_found(connection: Connection, order_no: str, money: OutsideMoney, at: datetime) -> None:
    """Inside a transaction. What is known opens nothing."""
    if await connection.fetchval(OURS, order_no, money.kind, money.key, money.number):
        return
    args = (money.transaction_id, clean(money.merchant_id), money.amount_minor, money.currency)
    number = await connection.fetchval(
        FIND, order_no, money.kind, money.source, clean(money.number), clean(money.key), *args, money.occurred_at, at,
        clean(money.why),
    )  # fmt: skip
    if number is not None:
        await open_ticket(connection, _question(number, order_no, money), order_no, at, outside=True)


class MoneyAfterEnd:
    """Money of orders that have ended: nobody listens any more, the books do."""

    def __init__(self, pool: Pool) -> None:
        self._pool = pool

    async def keep(self, order_no: str, facts: Sequence[Fact], at: datetime) -> frozenset[str]:
        """Keys of the facts that are dealt with: they tell of money which is not the order's own."""
        found = [(fact, outside_money(fact, "its order has ended")) for fact in facts]
        async with self._pool.acquire() as connection, connection.transaction():
            told = [
                (fact, money)
                for fact, money in found
                if money is not None
                and not await connection.fetchval(OURS, order_no, money.kind, money.key, money.number)
            ]
            if not told:
                return frozenset()
            status = str(await connection.fetchval(STATUS, order_no))
            for _, money in told:
                await keep_found(connection, order_no, money, at)
            events = [_after_end(fact, money, status) for fact, money in told]
            await record_after_end(connection, order_no, at, events, heard=False)
        return frozenset(fact.key for fact, _ in told)


def _after_end(fact: Fact, money: OutsideMoney, status: str) -> EventRecord:
    return EventRecord(
        key=fact.key,
        kind=fact.kind,
        source=fact.source,
        occurred_at=fact.occurred_at,
        outcome=Outcome.MISMATCH,
        from_status=status,
        to_status=status,
        note=money.told[:500],
        inbox_id=fact.inbox_id,
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
