"""What must hold of a run's order: one owner for every unit and fen, asked as production asks it; and our books against
what the world of the run knows by itself."""

from datetime import timedelta

from bench.checks.ownership import AT_REST
from bench.conserve.engine import Engine
from bench.conserve.life import Life
from store.ownership.check import STILL, OwnershipStore
from store.pool import Pool


class NotConserved(AssertionError):
    """A unit or a fen has no owner, or two; or money went back that nobody owes."""


STOCK = """
SELECT s.*, m.* FROM stock s CROSS JOIN LATERAL (
    SELECT coalesce(sum(qty) FILTER (WHERE kind = 'receive'), 0) AS received FROM stock_moves x
    WHERE x.sku = s.sku AND x.warehouse = s.warehouse) m
WHERE s.sku LIKE $1
    AND s.available + s.reserved + s.shipped + s.frozen + s.second_hand + s.scrapped <> m.received LIMIT 1"""

REFUNDS = """
SELECT o.refunded_minor, r.refund_no, r.amount_minor, r.status FROM orders o LEFT JOIN refunds r USING (order_no)
WHERE o.order_no = $1"""


BOOKS = frozenset({"store", "returns", "people", "customs"})
WAREHOUSE = frozenset({"wms"})
SECOND = timedelta(seconds=1)
MOST_WAITS = 5
"""For our own books, that a play takes away a few times in a row at most."""


class Checks:
    """Of orders in one database."""

    def __init__(self, pool: Pool) -> None:
        self._pool = pool
        self._owners = OwnershipStore(pool, still=timedelta(0), small=True)

    async def after_a_step(self, life: Life) -> None:
        """Raises `NotConserved`. Everything that can go on has gone on; what waits for our books, or for a warehouse's
        answer, may be half way for as long as production leaves a book alone after a write, and no longer."""
        engine = life.house.engine
        books = (engine.tried, *life.chargebacks.items())
        if books == life.looked_at:
            return
        for _ in range(MOST_WAITS):
            try:
                await self._look(life)
                life.looked_at = books
                return
            except NotConserved:
                if not waits_for(engine, BOOKS | WAREHOUSE):
                    raise
            only_asks = not waits_for(engine, BOOKS)
            await life.passes(STILL + SECOND)
            if only_asks:
                break
        await self._look(life)

    async def _look(self, life: Life) -> None:
        found = await self._owners.violations([life.order_no], AT_REST)
        if found:
            raise NotConserved("; ".join(v.text.replace(str(life.number), "N") for v in found))
        await self._money(life)

    async def at_the_end(self, life: Life) -> None:
        row = await self._pool.fetchrow(STOCK, f"S{life.number}-%")
        if row is not None:
            raise NotConserved(
                f"the stock of {row['sku']} in {row['warehouse']} is not what its moves say: {dict(row)}"
            )

    async def _money(self, life: Life) -> None:
        """The channel gave back what our books have, each refund once and of one amount; and it counts once."""
        world = life.house.world
        if world.given_back_minor > world.captured_minor:
            raise NotConserved(f"{world.given_back_minor} given back of {world.captured_minor}")
        rows = await self._pool.fetch(REFUNDS, life.order_no)
        booked = {row["refund_no"]: row["amount_minor"] for row in rows}
        for number, refund in world.refunding.items():
            if booked.get(number) != refund.amount_minor:
                text = (
                    f"refund {number} of {refund.amount_minor} was asked for, and our books have {booked.get(number)}"
                )
                raise NotConserved(text.replace(str(life.number), "N"))
        paid = sum(row["amount_minor"] for row in rows if row["status"] == "SUCCEEDED")
        if rows and rows[0]["refunded_minor"] != paid:
            raise NotConserved(f"{rows[0]['refunded_minor']} counts as given back, and {paid} was")


def waits_for(engine: Engine, steps: frozenset[str]) -> bool:
    return any(step in steps or step.split(".")[0] in steps for step in engine.waits_for)
