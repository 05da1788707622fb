"""One owner for every unit (O1) and every fen (O2), asked as production asks it; here of all orders, all at rest."""

from collections.abc import Sequence
from datetime import UTC, datetime, timedelta

from domain.ownership import OwnershipViolation
from store.ownership.check import OwnershipStore
from store.pool import Pool

AT_REST = datetime(9000, 1, 1, tzinfo=UTC)
"""Skipped time runs ahead of the clock: whoever checks has seen to it that nothing moves any more."""


async def violations(pool: Pool) -> tuple[OwnershipViolation, ...]:
    store, found = OwnershipStore(pool, still=timedelta(0)), list[OwnershipViolation]()
    async for page in store.open_orders(ended_too=True):
        found += await store.violations(page, AT_REST)
    return tuple(found)


def told(found: Sequence[OwnershipViolation], *, units: bool) -> tuple[str, ...]:
    """The sentences about units, or those about money."""
    return tuple(v.text for v in found if bool(v.units) is units)
