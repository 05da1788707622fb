"""Offers in time: before the warranty or the shelf life of a unit ends, its buyer hears once that it can be replaced
instead of repaired (以换代修, R62)."""

from datetime import date, datetime, time, timedelta
from enum import StrEnum
from typing import Annotated

from pydantic import Field

from domain.returns.windows import SHOP_TIME
from domain.strict import Strict


class Ends(StrEnum):
    """What ends for a unit on its last day."""

    WARRANTY = "warranty"
    SHELF_LIFE = "shelf_life"


class OfferTerms(Strict):
    """`at_time`: of the shop's clock, unless it says where."""

    notice_days: Annotated[int, Field(ge=1, le=3_650)] = 30
    at_time: time = time(9)

    def at(self, expires: date) -> datetime:
        """When a unit whose last day is `expires` is offered. Raises `OverflowError` before the first day there is."""
        day = expires - timedelta(days=self.notice_days)
        return datetime.combine(day, self.at_time, tzinfo=self.at_time.tzinfo or SHOP_TIME)


class OfferedUnit(Strict):
    """A unit that has an end. `offered`: its buyer has heard before; `open_case`: one of any kind is about it."""

    kind: Ends
    expires: date
    """The last day, included."""
    open_case: bool = False
    returned: bool = False
    refunded: bool = False
    offered: bool = False

    @property
    def may_be_offered(self) -> bool:
        return not (self.open_case or self.returned or self.refunded or self.offered)


def offer_at(unit: OfferedUnit, terms: OfferTerms) -> datetime | None:
    """When its buyer is offered a replacement; None: never."""
    return terms.at(unit.expires) if unit.may_be_offered else None
