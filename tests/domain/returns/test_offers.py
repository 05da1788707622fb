"""When a buyer hears that a unit can still be replaced, and when never."""

from datetime import date, datetime, time, timedelta, timezone

import pytest

from domain.returns.offers import Ends, OfferedUnit, OfferTerms, offer_at

SHANGHAI = timezone(timedelta(hours=8))
UNIT = OfferedUnit(kind=Ends.WARRANTY, expires=date(2026, 6, 30))


@pytest.mark.parametrize("kind", list(Ends))
def test_it_is_thirty_days_before_the_last_day_at_nine_in_the_shop(kind: Ends) -> None:
    unit = UNIT.model_copy(update={"kind": kind})
    assert offer_at(unit, OfferTerms()) == datetime(2026, 5, 31, 9, tzinfo=SHANGHAI)


def test_another_notice_and_another_hour_are_kept() -> None:
    terms = OfferTerms(notice_days=7, at_time=time(20, 30))
    assert offer_at(UNIT, terms) == datetime(2026, 6, 23, 20, 30, tzinfo=SHANGHAI)


@pytest.mark.parametrize("why", ["open_case", "returned", "refunded", "offered"])
def test_never_for_a_unit_that_somebody_is_about_that_is_gone_or_that_was_offered(why: str) -> None:
    assert offer_at(UNIT.model_copy(update={why: True}), OfferTerms()) is None
