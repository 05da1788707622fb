"""Who has to agree: the decision table that is shipped says what the built-in matrix says (R44, S20, S28)."""

import itertools

import pytest

from domain.returns.approval_route import ApprovalRules, RouteInput, at_least, compared, route, route_input
from domain.returns.enums import Level, ReturnType, Risk
from domain.rules.check import check
from domain.rules.engine import engine_of
from domain.rules.sets import RuleSet
from store.rules.defaults import built_in
from tests.domain.rules import a_rule_set, a_table

SUPERVISOR, FINANCE = Level.CS_SUPERVISOR, Level.FINANCE


@pytest.mark.parametrize(
    ("amount", "levels"),
    [(0, (SUPERVISOR,)), (10_000, (SUPERVISOR,)), (10_001, (SUPERVISOR, FINANCE)), (98_800, (SUPERVISOR, FINANCE))],
)
def test_up_to_a_hundred_yuan_the_supervisor_alone(amount: int, levels: tuple[Level, ...]) -> None:
    for kind in ReturnType:
        assert route(route_input(ApprovalRules(), kind, amount)) == levels


def test_what_the_system_owes_nobody_has_to_agree_to() -> None:
    assert route(route_input(ApprovalRules(), ReturnType.REFUND_ONLY, 99_999, exempt=True)) == (Level.SYSTEM,)


def test_the_cumulative_switch_adds_up_the_order() -> None:
    apart, together = ApprovalRules(cumulative_by_order=False), ApprovalRules()
    assert [compared(apart, 6_000, 6_000), compared(together, 6_000, 6_000)] == [6_000, 12_000]
    assert route(route_input(apart, ReturnType.RETURN_REFUND, 6_000, prior_minor=6_000)) == (SUPERVISOR,)
    assert route(route_input(together, ReturnType.RETURN_REFUND, 6_000, prior_minor=6_000)) == (SUPERVISOR, FINANCE)


def test_the_shipped_table_equals_the_built_in_matrix() -> None:
    engine = engine_of(built_in())
    amounts, limits = (0, 1, 9_999, 10_000, 10_001, 10**12), (0, 1, 10_000, 50_000)
    for amount, limit, kind, risk, exempt in itertools.product(amounts, limits, ReturnType, Risk, (True, False)):
        given = RouteInput(amount_minor=amount, small_max_minor=limit, type=kind, risk=risk, exempt=exempt)
        answer = engine.route(given.model_dump(mode="json"))
        assert answer is not None, given
        assert tuple(answer[0]) == route(given), given


def test_business_people_may_ask_more_of_risky_cases() -> None:
    table = a_table(
        "approval_route",
        {"risk": '"high"', "levels": '["CS_SUPERVISOR", "FINANCE"]'},
        {"levels": '["CS_SUPERVISOR"]'},
    )
    engine = engine_of(a_rule_set(approval_route=table))
    given = route_input(ApprovalRules(), ReturnType.RETURN_REFUND, 1, risk=Risk.HIGH).model_dump(mode="json")
    assert engine.route(given) == (("CS_SUPERVISOR", "FINANCE"), "R1")
    assert engine.route({**given, "risk": "low"}) == (("CS_SUPERVISOR",), "R2")


@pytest.mark.parametrize("levels", [(), (Level.SYSTEM,), (Level.SYSTEM, SUPERVISOR), (SUPERVISOR,)])
def test_an_answer_by_which_too_few_agree_is_not_obeyed(levels: tuple[Level, ...]) -> None:
    """However a table came to it, such as by a condition that nobody thought of."""
    large = route_input(ApprovalRules(), ReturnType.RETURN_REFUND, 10_001)
    assert at_least(levels, large) == (SUPERVISOR, FINANCE)
    small = route_input(ApprovalRules(), ReturnType.RETURN_REFUND, 10_000)
    assert at_least(levels, small) == ((SUPERVISOR,) if levels == (SUPERVISOR,) else (SUPERVISOR, FINANCE))
    assert at_least((Level.SYSTEM,), small.model_copy(update={"exempt": True})) == (Level.SYSTEM,)


@pytest.mark.parametrize("levels", ['["FINANCE", "CS_SUPERVISOR"]', '["NOBODY"]', '["FINANCE"]', '"CS_AGENT"', ""])
def test_a_way_that_does_not_exist_cannot_be_published(levels: str) -> None:
    found = check(a_rule_set(approval_route=a_table("approval_route", {"levels": levels})))
    assert [finding.severity for finding in found] == ["error"]


def test_a_rule_set_from_before_there_was_a_table_leaves_it_to_the_matrix() -> None:
    old = dict(built_in().tables)
    del old["approval_route"]
    assert engine_of(RuleSet(name="old", tables=old, version=1)).route({}) is None
