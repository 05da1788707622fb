"""What another policy would have meant: the same past counted twice."""

from datetime import timedelta

from domain.policy import Policy
from domain.returns.enums import Fault, Reason, ReturnType
from domain.rules.engine import engine_of
from domain.rules.policy_trial import PastDispatch, PastReturn, PolicyFigures, tried
from store.rules.defaults import built_in
from tests.store.examples import NOW


def a_return(amount_minor: int, days: int, reason: Reason = Reason.NO_REASON, fault: Fault = Fault.BUYER) -> PastReturn:
    return PastReturn(
        type=ReturnType.RETURN_REFUND, reason=reason, fault=fault, amount_minor=amount_minor, signed_at=NOW,
        applied_at=NOW + timedelta(days=days),
    )  # fmt: skip


def test_returns_and_orders_are_counted_as_each_policy_would_have_had_them() -> None:
    returns = [a_return(5_000, 1), a_return(15_000, 5), a_return(50_000, 9, Reason.QUALITY_PROBLEM, Fault.SELLER)]
    left = [PastDispatch(channel="shop", paid_at=NOW, left_at=NOW + timedelta(hours=h)) for h in (1, 30, 60)]
    left.append(PastDispatch(channel="shop", paid_at=NOW, left_at=None))
    before = Policy(version=3)
    after = before.model_copy(
        update={
            "small_refund_max_minor": 20_000, "no_reason_days": 3, "freight_back": "none_if_buyer_fault",
            "dispatch_s": 24 * 3600,
        }
    )  # fmt: skip
    found = tried(before, after, returns, left, [], engine_of(built_in()))
    assert (found.compared_with, found.returns, found.orders, found.divided_otherwise) == (3, 3, 4, 0)
    assert found.before == PolicyFigures(finance=2, too_late=1, freight=3, in_time=2)
    assert found.after == PolicyFigures(finance=1, too_late=2, freight=1, in_time=1)


def test_a_time_for_one_channel_counts_its_orders_anew_and_no_others() -> None:
    left = [PastDispatch(channel=c, paid_at=NOW, left_at=NOW + timedelta(hours=30)) for c in ("shop", "tmall")]
    after = Policy(dispatch_by_channel={"tmall": 24 * 3600})
    found = tried(Policy(), after, [], left, [], engine_of(built_in()))
    assert (found.before.in_time, found.after.in_time) == (2, 1)
