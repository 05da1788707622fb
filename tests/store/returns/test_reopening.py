"""A parcel that comes after its case has closed (N6)."""

from datetime import timedelta

import pytest

from domain.returns.enums import CaseStatus
from domain.returns.models import Parcel, ReopenReturn
from store.pool import Pool
from store.returns import ReturnStore
from store.returns.errors import (
    CannotReopen,
    NoSuchReturn,
    ReturnRefused,
)
from tests.store.cases import LATER, POLICY, a_case, a_case_write, an_application


async def test_a_late_parcel_reopens_as_a_linked_case_with_its_waybill(
    returns: ReturnStore, pool: Pool, order: str
) -> None:
    first = await a_case(returns, pool, lines={"L1": 2})
    parcel = Parcel(carrier="sf", waybill_no="SF100")
    await returns.write(a_case_write(seq=1, status=CaseStatus.CLOSED_NOT_SENT, parcels=(parcel,), ended=True))
    message = ReopenReturn(return_no="RT-LATE-1", reopens=first.return_no)
    much_later = LATER + timedelta(days=60)
    linked = [await returns.reopen(message, "run-9", much_later, POLICY) for _ in range(2)]
    assert linked[0] == linked[1]
    assert (linked[0].units, linked[0].quote) == (first.units, first.quote)
    await returns.write(a_case_write("RT-LATE-1", parcels=(parcel,)))
    assert await returns.by_waybill("sf", "SF100") == "RT-LATE-1"
    seen = await returns.view("RT-LATE-1")
    assert seen is not None
    assert seen.linked_to == first.return_no


async def test_what_is_gone_or_open_cannot_be_reopened(returns: ReturnStore, pool: Pool, order: str) -> None:
    await a_case(returns, pool, lines={"L1": 3})
    message = ReopenReturn(return_no="RT-LATE-1", reopens="RT20261120")
    with pytest.raises(CannotReopen, match="only a closed case"):
        await returns.reopen(message, "run-9", LATER, POLICY)
    await returns.write(a_case_write(status=CaseStatus.CLOSED_NOT_SENT))
    await a_case(returns, pool, "RT-OTHER", lines={"L1": 1})
    with pytest.raises(CannotReopen, match="in another"):
        await returns.reopen(message, "run-9", LATER, POLICY)
    with pytest.raises(NoSuchReturn):
        await returns.reopen(ReopenReturn(return_no="RT-LATE-1", reopens="RT-NOBODY"), "run-9", LATER, POLICY)


async def test_an_application_after_the_window_names_the_reason_and_is_no_case(
    returns: ReturnStore, pool: Pool, order: str
) -> None:
    with pytest.raises(ReturnRefused) as refusal:
        await returns.admit(an_application(), "run-1", LATER + timedelta(days=30), POLICY)
    assert [r.code for r in refusal.value.refusals] == ["EVIDENCE_UNKNOWN", "WINDOW_OVER"]
    assert await returns.view("RT20261120") is None
