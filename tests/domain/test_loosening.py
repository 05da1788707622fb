"""What gets looser is said in words, and nothing is said to be harmless that is not."""

from typing import Any

import pytest

from domain.access.controls import AddPerson, SetActive, SetRole, at_once, control_workflow_id, more_power, number_in
from domain.access.loosening import LEVERS, NEUTRAL, looser_policy
from domain.approvals import Role
from domain.inbox.retention import Retention
from domain.policy import Policy
from domain.rules.check import check
from domain.rules.findings import errors
from domain.rules.route_checks import looser_routes
from store.rules.defaults import built_in
from tests.domain.rules import a_rule_set, a_table

BOTH, ALONE, NOBODY = '["CS_SUPERVISOR", "FINANCE"]', '["CS_SUPERVISOR"]', '["SYSTEM"]'
SMALL = {"condition": "amount_minor <= small_max_minor", "levels": ALONE}
OTHERS = {"levels": BOTH}


def test_every_setting_of_the_policy_has_a_direction_or_is_neutral() -> None:
    assert set(LEVERS) | NEUTRAL == set(Policy.model_fields)
    assert set(LEVERS) & NEUTRAL == set()


@pytest.mark.parametrize(
    ("changed", "said"),
    [
        ({"small_refund_max_minor": 99_999_999}, "100.00 → 999,999.99"),
        ({"cumulative_refunds": False}, "switched off: the refunds of an order are added up"),
        ({"window_s": 30 * 86_400}, "7d → 30d"),
        ({"no_reason_days": 30}, "7d → 30d"),
        ({"max_applications": 100}, "5 → 100"),
        ({"stop_before_asking": False}, "switched off"),
        ({"callback_alert_below_bp": 5_000}, "99.00 % → 50.00 %"),
        ({"late_payment_watch_s": 3_600}, "25h → 1h"),
        ({"retention": Retention(applied_days=1)}, "looser"),
        ({"currencies": ("CNY", "USD")}, "USD"),
        ({"dispatch_by_channel": {"tmall": 172_800}}, "– → tmall 2d"),
    ],
)
def test_a_looser_setting_is_told_in_both_languages_and_the_way_back_is_not(changed: dict[str, Any], said: str) -> None:
    before, after = Policy(), Policy(**changed)
    (line,) = looser_policy(before, after)
    assert next(iter(changed)) in line and " / " in line
    assert said in line or "1d 1h → 1h" in line
    if LEVERS[next(iter(changed))].looser != "any":
        assert looser_policy(after, before) == ()


def test_freight_is_looser_the_more_of_it_comes_back() -> None:
    kept, fair = Policy(freight_back="none"), Policy(freight_back="none_if_buyer_fault")
    assert looser_policy(kept, fair) and looser_policy(fair, Policy()) and not looser_policy(Policy(), kept)


def test_a_role_given_is_told_with_what_it_lets_its_holder_do_and_one_taken_is_not() -> None:
    given = SetRole(person_id="u-1", role=Role.FINANCE, held=True)
    assert "放款" in more_power(given, ())[0] and "u-1 gets FINANCE" in more_power(given, ())[0]
    assert more_power(given, [Role.FINANCE]) == () == more_power(given.model_copy(update={"held": False}), ())
    assert len(more_power(AddPerson(person_id="u-1", roles=(Role.ADMIN, Role.FINANCE)), ())) == 2
    back = SetActive(person_id="u-1", active=True)
    assert len(more_power(back, [Role.ADMIN])) == 1 and not at_once(back)


def test_a_table_that_asks_the_same_people_is_not_looser() -> None:
    same = a_rule_set(approval_route=a_table("approval_route", {"exempt": "true", "levels": NOBODY}, SMALL, OTHERS))
    assert looser_routes(built_in(), same) == ()
    stricter = a_rule_set(approval_route=a_table("approval_route", OTHERS))
    assert looser_routes(built_in(), stricter) == () != looser_routes(stricter, built_in())


def test_who_is_no_longer_asked_is_named_with_kind_and_amounts() -> None:
    high = {"risk": '"high"', "levels": BOTH}
    before = a_rule_set(approval_route=a_table("approval_route", high, SMALL, OTHERS))
    after = a_rule_set(approval_route=a_table("approval_route", SMALL, OTHERS))
    told = looser_routes(before, after)
    assert len(told) == 5 and all("FINANCE no longer asked" in line and "risk high" in line for line in told)


@pytest.mark.parametrize(
    "rows",
    [
        [{"levels": ALONE}],
        [{"levels": NOBODY}],
        [{"exempt": "false", "levels": NOBODY}, OTHERS],
        [{"amount_minor": "<= 10001", "levels": ALONE}, OTHERS],
        [{"amount_minor": "[777700..777700]", "levels": NOBODY}, OTHERS],
        [{"type": "'exchange'", "risk": "'low'", "levels": NOBODY}, OTHERS],
        [{"condition": "amount_minor <= small_max_minor * 3", "levels": ALONE}, OTHERS],
    ],
)
def test_a_table_by_which_nobody_or_one_role_alone_decides_money_cannot_be_saved(rows: list[dict[str, str]]) -> None:
    found = errors(check(a_rule_set(approval_route=a_table("approval_route", *rows))))
    assert [(f.table, f.row) for f in found] == [("approval_route", "R1")]
    assert " / " in found[0].text


def test_a_change_is_found_under_its_own_number_only() -> None:
    change = AddPerson(person_id="u-a-1")
    assert control_workflow_id("people/u-a-1", 2) == "controls/people/u-a-1-2"
    assert number_in("controls/people/u-a-1-2", change) == 2
    for other in (
        "controls/people/u-a-2",
        "controls/people/u-a-1-0",
        "controls/people/u-a-1-02",
        "controls/policy-1",
        "x",
    ):
        assert number_in(other, change) is None
