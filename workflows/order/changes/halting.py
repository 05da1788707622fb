"""Parcels that are made anew together are claimed and stopped together, and each that ships is let go by itself."""

import asyncio
from collections.abc import Sequence

from temporalio import workflow

from workflows.order.parcels.parcel import Parcel
from workflows.order.parcels.stop_claim import Claimant

LET_GO = "what ships is let go before the others are known"


async def halt(parcels: Sequence[Parcel], who: Claimant) -> list[Parcel]:
    """Stops those that the warehouse has, for `who` who has claimed them. Returns the ones that ship after all."""
    for parcel in parcels:
        parcel.state.set_aside = True
    answers = await asyncio.gather(*(_halt(parcel, who) for parcel in parcels))
    ships = [parcel for parcel, stopped in zip(parcels, answers, strict=True) if not stopped]
    for parcel in ships:
        if parcel.claim.owner is who:  # in an order from before, until all were known
            parcel.state.set_aside = False
    return ships


async def _halt(parcel: Parcel, who: Claimant) -> bool:
    """False: it ships, and nobody owns its stop any more, though the warehouse has not said yet what becomes of the
    others: whoever waits for its claim may have units that nobody else has."""
    stopped = await parcel.stop()
    if not stopped and workflow.patched(LET_GO):
        parcel.state.set_aside = False
        parcel.claim.release(who)
    return stopped
