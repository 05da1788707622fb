"""Offers in time are made by the worker, some hundred at a time."""

from pydantic import AwareDatetime
from temporalio import activity
from temporalio.exceptions import ApplicationError

from activities.insight.reports import settle_ticket
from domain.clock import Clock
from domain.returns.offers import OfferTerms
from domain.strict import Strict
from store.errors import NobodyListens
from store.insight.offers import OfferStore
from store.pool import Pool
from store.tickets.tickets import TicketStore

LOOP = "daily"
"""The period of its ticket: one, however many days it cannot be done."""


class MakeOffers(Strict):
    terms: OfferTerms
    as_of: AwareDatetime


class OffersMade(Strict):
    """`made`: units; 0: none is due any more."""

    made: int


class OfferActivities:
    def __init__(self, pool: Pool, clock: Clock) -> None:
        self._offers = OfferStore(pool)
        self._tickets = TicketStore(pool)
        self._clock = clock

    @activity.defn(name="insight.make_offers")
    async def make(self, wanted: MakeOffers) -> OffersMade:
        """May be repeated: no unit is offered twice. Raises, finally, NobodyListens."""
        try:
            made = await self._offers.make(wanted.terms, wanted.as_of)
        except NobodyListens as error:
            raise ApplicationError(str(error), type="NobodyListens", non_retryable=True) from None
        await settle_ticket(self._tickets, "offers", LOOP, self._clock())
        return OffersMade(made=made)
