"""Waybills at SF instead of the carrier system, and who follows them then."""

from collections.abc import AsyncIterator
from typing import Any, cast

import httpx
import pytest
from temporalio.exceptions import ApplicationError, ApplicationErrorCategory
from temporalio.testing import ActivityEnvironment

from activities.carrier import CarrierActivities
from activities.messages import BookBatch, Booking, BookOutcomes, VoidCall
from activities.tracking import TrackingActivities
from providers.sf.client import Sf
from providers.tms.client import TmsClient
from sandbox.core import Settings, serve
from sandbox.sf import create_app
from store.polling.tracking import TrackingStore, Waybill
from tests.providers.test_sf import CHILD, TO, config, ids, now

NO_TMS = cast(TmsClient, None)


@pytest.fixture
async def carrier() -> AsyncIterator[CarrierActivities]:
    app = create_app(Settings({"PARTNER_ID": "PARTNER", "CHECK_WORD": "w0rd"}))
    async with serve(app) as url, httpx.AsyncClient(trust_env=False) as http:
        yield CarrierActivities(NO_TMS, Sf(config(url), http, now, ids()))


async def book(carrier: CarrierActivities) -> BookOutcomes:
    item = Booking(child_no=CHILD, address=TO, weight_g=1200, pieces=3)
    call = BookBatch(backoff_s=(1,), carrier_system="sf", items=(item,))
    outcomes: BookOutcomes = await ActivityEnvironment().run(carrier.book, call)
    return outcomes


async def test_sf_gives_a_waybill_and_no_label_and_the_same_one_again(carrier: CarrierActivities) -> None:
    (first,), (second,) = (await book(carrier)).items, (await book(carrier)).items
    assert first.done is not None and first == second
    assert (first.done.carrier, first.done.label_format, first.done.label_b64) == ("SF", None, None)
    assert first.done.waybill_no.startswith("SF")


async def test_a_waybill_of_sf_is_voided_at_sf(carrier: CarrierActivities) -> None:
    await book(carrier)
    call = VoidCall(backoff_s=(1,), child_no=CHILD, order_no="SO2603020001", carrier_system="sf")
    assert await ActivityEnvironment().run(carrier.void, call)


async def test_a_policy_that_books_at_an_sf_that_is_not_there_is_refused_and_says_what_to_set() -> None:
    with pytest.raises(ApplicationError, match="OMS_SF_BASE_URL") as refused:
        await book(CarrierActivities(NO_TMS))
    assert refused.value.non_retryable


class Waybills:
    """A store with one waybill of SF and one of another carrier."""

    def __init__(self, *carriers: str) -> None:
        self.new = [Waybill(f"C-{c}", "C", f"W-{c}", c, "13800000000") for c in carriers]
        self.followed: list[str] = []

    async def to_subscribe(self, limit: int) -> list[Waybill]:
        return [w for w in self.new if w.child_no not in self.followed][:limit]

    async def subscribed(self, child_nos: list[str]) -> None:
        self.followed += child_nos


async def next_waybills(store: Waybills, *elsewhere: str) -> Any:
    tracking = TrackingActivities(cast(TrackingStore, store), elsewhere)
    return await ActivityEnvironment().run(tracking.next_waybills)


async def test_what_sf_pushes_itself_is_marked_as_followed_and_not_subscribed_at_kuaidi100() -> None:
    store = Waybills("SF", "YTO")
    assert [w.carrier for w in await next_waybills(store, "SF")] == ["YTO"]
    assert store.followed == ["C-SF"]
    store.followed.append("C-YTO")
    with pytest.raises(ApplicationError, match="no new waybill") as idle:
        await next_waybills(store, "SF")
    assert idle.value.category is ApplicationErrorCategory.BENIGN, "an idle loop writes no warnings"


async def test_without_sf_kuaidi100_follows_its_parcels_too() -> None:
    store = Waybills("SF", "YTO")
    assert [w.carrier for w in await next_waybills(store)] == ["SF", "YTO"]
    assert store.followed == []
