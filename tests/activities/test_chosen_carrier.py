"""The carrier that the order chose by tariff travels to the carrier system."""

import pytest
from temporalio.exceptions import ApplicationError
from temporalio.testing import ActivityEnvironment

from activities.carrier import CarrierActivities
from activities.messages import BookBatch, Booking, BookOutcome
from domain.call_outcome import CallOutcome
from providers.errors import ProviderError
from providers.tms import messages
from providers.tms.client import TmsRefused, TmsUnavailable
from tests.providers.test_sf import CHILD, TO


class CarrierSystem:
    """Books whatever it is asked for, and remembers it."""

    def __init__(self) -> None:
        self.asked: list[messages.BookShipment] = []

    async def book(self, shipment: messages.BookShipment) -> messages.TmsBooked:
        self.asked.append(shipment)
        return messages.TmsBooked(
            shipment_id=CHILD, tms_ref="T-1", carrier=shipment.carrier or "YTO", waybill_no="YT0001",
            status=messages.ShipmentStatus.BOOKED,
        )  # fmt: skip

    async def label(self, _child_no: str, label_format: str) -> object:
        class Label:
            format = label_format
            content = b"^XA^XZ"

        return Label()


async def book(system: CarrierSystem, carrier: str | None) -> BookOutcome:
    item = Booking(child_no=CHILD, address=TO, weight_g=1200, pieces=3, carrier=carrier)
    activities = CarrierActivities(system)  # type: ignore[arg-type]
    outcomes = await ActivityEnvironment().run(activities.book, BookBatch(backoff_s=(1,), items=(item,)))
    (outcome,) = outcomes.items
    return outcome


@pytest.mark.parametrize("carrier", ["SF", None])
async def test_the_chosen_carrier_is_asked_for_and_without_one_the_carrier_system_chooses(carrier: str | None) -> None:
    system = CarrierSystem()
    outcome = await book(system, carrier)
    assert outcome.done is not None and outcome.done.carrier == (carrier or "YTO")
    assert [asked.carrier for asked in system.asked] == [carrier]


async def test_a_tariff_with_a_carrier_that_is_no_code_is_refused_and_says_where_to_look() -> None:
    system = CarrierSystem()
    outcome = await book(system, "sf express")
    assert outcome.failed is not None and "tariff table" in outcome.failed.error and system.asked == []


@pytest.mark.parametrize("no", [TmsRefused, TmsUnavailable])
async def test_a_parcel_whose_label_is_not_given_after_it_was_booked_may_be_at_the_carrier(
    no: type[ProviderError],
) -> None:
    """It is: who gives the label up has it voided."""

    class WithoutLabels(CarrierSystem):
        async def label(self, _child_no: str, label_format: str) -> object:
            raise no("tms", "LABEL_TOO_LARGE", "it has many bytes")

    with pytest.raises(ApplicationError) as error:
        await book(WithoutLabels(), None)
    (outcome,) = error.value.details[0]
    assert outcome.failed.outcome is CallOutcome.UNKNOWN and "booked under YT0001" in outcome.failed.error
