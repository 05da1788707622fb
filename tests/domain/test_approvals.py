"""Who may decide: never the requester, nobody twice, only in the role, only while active, a delegate only in time."""

import json
from datetime import UTC, datetime, timedelta

import pytest
from pydantic import ValidationError

from domain.approvals import (
    Allowed,
    ApprovalRequest,
    DecisionRefused,
    Delegation,
    Principal,
    RefusalCode,
    Role,
    ask,
    content_hash,
    may_decide,
)

NOW = datetime(2026, 11, 20, 8, 0, tzinfo=UTC)
REQUEST = ask(
    "refund_payout",
    subject="R1",
    n=2,
    version=1,
    role=Role.FINANCE,
    requested_by="u-cs",
    content={"amount_minor": 1},
    excluded=("u-sup",),
)
FINANCE = frozenset({Role.FINANCE})


def lent(delegator: str, *, roles: frozenset[Role] = FINANCE, active: bool = True, days: int = 1) -> Delegation:
    return Delegation(delegator, roles, active, NOW + timedelta(days=days))


@pytest.mark.parametrize(
    ("principal", "code"),
    [
        (Principal("u-cs", FINANCE), RefusalCode.SELF_APPROVAL),
        (Principal("u-cs", frozenset()), RefusalCode.SELF_APPROVAL),
        (Principal("u-fin", FINANCE, delegations=(lent("u-cs"),)), RefusalCode.SELF_APPROVAL),
        (Principal("u-sup", FINANCE), RefusalCode.NOT_DISTINCT),
        (Principal("u-x", frozenset(), delegations=(lent("u-sup"),)), RefusalCode.NOT_DISTINCT),
        (Principal("u-fin", FINANCE, active=False), RefusalCode.PERSON_INACTIVE),
        (Principal("u-x", frozenset(), delegations=(lent("u-fin", active=False),)), RefusalCode.PERSON_INACTIVE),
        (Principal("u-x", frozenset({Role.ADMIN, Role.CS_SUPERVISOR})), RefusalCode.WRONG_ROLE),
        (Principal("u-x", frozenset(), delegations=(lent("u-fin", days=0),)), RefusalCode.WRONG_ROLE),
        (Principal("u-x", frozenset(), delegations=(lent("u-w", roles=frozenset()),)), RefusalCode.WRONG_ROLE),
    ],
)
def test_who_may_not_decide(principal: Principal, code: RefusalCode) -> None:
    verdict = may_decide(REQUEST, principal, NOW)
    assert isinstance(verdict, DecisionRefused) and verdict.code is code


def test_the_role_allows_and_a_delegate_acts_for_the_delegator() -> None:
    assert may_decide(REQUEST, Principal("u-fin", FINANCE), NOW) == Allowed(Role.FINANCE)
    delegate = Principal("u-x", frozenset(), delegations=(lent("u-sup"), lent("u-fin")))
    assert may_decide(REQUEST, delegate, NOW) == Allowed(Role.FINANCE, "u-fin")


def test_the_hash_covers_kind_subject_version_and_content_and_nothing_of_their_order() -> None:
    base = content_hash("refund_payout", "R1", 1, {"a": 1, "b": [1, 2]})
    assert base == content_hash("refund_payout", "R1", 1, {"b": [1, 2], "a": 1})
    others = [
        content_hash("dispute", "R1", 1, {"a": 1, "b": [1, 2]}),
        content_hash("refund_payout", "R2", 1, {"a": 1, "b": [1, 2]}),
        content_hash("refund_payout", "R1", 2, {"a": 1, "b": [1, 2]}),
        content_hash("refund_payout", "R1", 1, {"a": 2, "b": [1, 2]}),
    ]
    assert len({base, *others}) == 5


def test_a_fraction_is_not_approved() -> None:
    with pytest.raises(ValueError, match="fractions"):
        content_hash("refund_payout", "R1", 1, {"lines": [{"amount": 1.5}]})


def test_a_request_whose_content_was_changed_under_its_hash_is_no_request() -> None:
    changed = REQUEST.model_dump(mode="json") | {"content": {"amount_minor": 2}}
    with pytest.raises(ValidationError, match="content_hash"):
        ApprovalRequest.model_validate_json(json.dumps(changed))
