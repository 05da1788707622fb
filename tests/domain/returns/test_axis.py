"""The after-sales state machine: the paths of the requirements, and nothing beside them (R40-R58, case 63)."""

import pytest

from domain.returns.enums import ENDS, Acceptance, CaseStatus, Reception, ReturnType
from domain.returns.states import (
    ACCEPTANCE,
    OWNERS,
    RECEPTION,
    NoSuchStep,
    ReturnEvent,
    acceptance_of,
    after,
    fits,
    is_over,
    reception_of,
)

E, S, T = ReturnEvent, CaseStatus, ReturnType
PATHS = {
    "return and refund, small": (
        T.RETURN_REFUND,
        (E.ADMITTED, E.APPROVED, E.HANDED_OVER, E.RECEIVED, E.INSPECTED, E.PAYOUT, E.REFUND_SUCCEEDED),
        (S.SUPERVISOR_REVIEW, S.WAITING_RETURN, S.IN_RETURN, S.RECEIVED, S.INSPECTED, S.REFUNDING, S.REFUNDED),
    ),
    "refund only, large": (
        T.REFUND_ONLY,
        (E.ADMITTED, E.FINANCE_WANTED, E.PAYOUT, E.REFUND_SUCCEEDED),
        (S.SUPERVISOR_REVIEW, S.FINANCE_REVIEW, S.REFUNDING, S.REFUNDED),
    ),
    "cancelled before shipping": (
        T.CANCEL_UNSHIPPED,
        (E.ADMITTED, E.PAYOUT, E.REFUND_SUCCEEDED),
        (S.SUPERVISOR_REVIEW, S.REFUNDING, S.REFUNDED),
    ),
    "exchange": (
        T.EXCHANGE,
        (E.ADMITTED, E.APPROVED, E.RECEIVED, E.INSPECTED, E.REPLACE, E.REPLACEMENT_SHIPPED, E.REPLACEMENT_SIGNED),
        (
            *(S.SUPERVISOR_REVIEW, S.WAITING_RETURN, S.RECEIVED, S.INSPECTED, S.REPLACEMENT_QC),
            *(S.REPLACEMENT_SHIPPED, S.EXCHANGED),
        ),
    ),
    "not sent": (
        T.RETURN_REFUND,
        (E.ADMITTED, E.APPROVED, E.NOT_SENT),
        (S.SUPERVISOR_REVIEW, S.WAITING_RETURN, S.CLOSED_NOT_SENT),
    ),
    "refund failed, then paid after all": (
        T.REFUND_ONLY,
        (E.EXEMPTED, E.REFUND_FAILED, E.REFUND_SUCCEEDED),
        (S.REFUNDING, S.REFUND_FAILED, S.REFUNDED),
    ),
}


@pytest.mark.parametrize("name", PATHS)
def test_a_case_takes_its_path(name: str) -> None:
    kind, events, expected = PATHS[name]
    status, seen = S.APPLIED, []
    for event in events:
        status = after(kind, status, event)
        seen.append(status)
    assert tuple(seen) == expected


def test_a_large_return_is_looked_at_by_finance_after_inspection() -> None:
    assert after(T.RETURN_REFUND, S.INSPECTED, E.FINANCE_WANTED) is S.FINANCE_REVIEW
    assert not fits(T.RETURN_REFUND, S.SUPERVISOR_REVIEW, E.FINANCE_WANTED)


def test_goods_that_came_late_are_inspected_before_the_supervisor_decides() -> None:
    status = S.APPLIED
    for event in (E.ARRIVED_LATE, E.RECEIVED, E.INSPECTED, E.REVIEW_WANTED):
        status = after(T.RETURN_REFUND, status, event)
    assert status is S.SUPERVISOR_REVIEW
    assert after(T.RETURN_REFUND, status, E.APPROVED, goods_here=True) is S.INSPECTED
    assert not fits(T.RETURN_REFUND, status, E.BUYER_CANCELLED, goods_here=True)


@pytest.mark.parametrize("kind", list(T))
@pytest.mark.parametrize("status", [S.APPLIED, S.SUPERVISOR_REVIEW, S.WAITING_RETURN, S.IN_RETURN, S.RECEIVED])
def test_no_return_is_paid_out_before_its_goods_are_inspected(kind: ReturnType, status: CaseStatus) -> None:
    if kind in (T.REFUND_ONLY, T.CANCEL_UNSHIPPED) and status is S.SUPERVISOR_REVIEW:
        return
    with pytest.raises(NoSuchStep):
        after(kind, status, E.PAYOUT)


@pytest.mark.parametrize("kind", [T.EXCHANGE, T.WARRANTY_REPLACEMENT])
@pytest.mark.parametrize("event", [E.PAYOUT, E.REFUND_SUCCEEDED, E.FINANCE_WANTED])
def test_an_exchange_never_pays(kind: ReturnType, event: ReturnEvent) -> None:
    assert not any(fits(kind, status, event) for status in S)


def test_nothing_follows_an_end_but_proof_that_money_arrived() -> None:
    for kind in T:
        for status in ENDS:
            assert is_over(status)
            possible = {event for event in E for here in (True, False) if fits(kind, status, event, goods_here=here)}
            late = {E.REFUND_SUCCEEDED} if status is S.REFUND_FAILED and kind not in GOODS_OUT else set()
            assert possible == late


GOODS_OUT = (T.EXCHANGE, T.WARRANTY_REPLACEMENT)


def test_every_open_case_is_somebodys_turn() -> None:
    assert set(OWNERS) >= set(S) - ENDS


def test_the_least_finished_unit_speaks_for_the_goods() -> None:
    assert reception_of([Reception.RECEIVED, Reception.AWAITED]) is Reception.AWAITED
    assert reception_of([Reception.RECEIVED, Reception.MISSING]) is Reception.RECEIVED
    assert reception_of([Reception.MISSING]) is Reception.MISSING
    assert reception_of([]) is Reception.NOT_EXPECTED


def test_an_open_question_about_one_unit_is_one_about_the_case() -> None:
    assert acceptance_of([Acceptance.ACCEPTED, Acceptance.DISPUTED, Acceptance.PENDING]) is Acceptance.DISPUTED
    assert acceptance_of([Acceptance.ACCEPTED, Acceptance.REJECTED]) is Acceptance.ACCEPTED
    assert acceptance_of([Acceptance.REJECTED]) is Acceptance.REJECTED


def test_received_is_final_and_a_decided_unit_may_be_disputed() -> None:
    assert set(RECEPTION) == set(Reception)
    assert set(ACCEPTANCE) == set(Acceptance)
    assert RECEPTION[Reception.RECEIVED] == frozenset()
    assert Acceptance.DISPUTED in ACCEPTANCE[Acceptance.ACCEPTED]
