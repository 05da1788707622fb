"""Decided once, by the right person, and used once; what the code refuses the database refuses too."""

import asyncio
from datetime import timedelta

import asyncpg
import pytest
from temporalio.exceptions import ApplicationError

from domain.approvals import RefusalCode, Role
from store.errors import ApprovalChanged, DecisionRefused, PersonRefused
from tests.approvals.world import NOW, Office, question


async def test_the_right_person_decides_and_the_audit_tells(office: Office) -> None:
    asked = await office.open()
    decided = await office.decide(office.decision("u-fin", asked))
    assert (decided.person_id, decided.role, decided.approved) == ("u-fin", Role.FINANCE, True)
    actions = [(row.actor, row.action) for row in await office.audit.list(order_no=asked.order_no)]
    assert actions == [("u-fin", "approval.approve"), ("u-cs", "approval.open")]
    assert await office.audit.broken_at() is None


@pytest.mark.parametrize(
    ("person", "code"),
    [
        ("u-cs", RefusalCode.SELF_APPROVAL),
        ("u-sup", RefusalCode.NOT_DISTINCT),
        ("u-out", RefusalCode.WRONG_ROLE),
        ("u-nobody", RefusalCode.PERSON_INACTIVE),
    ],
)
async def test_the_wrong_person_is_refused_with_an_audit_row(office: Office, person: str, code: RefusalCode) -> None:
    asked = await office.open()
    with pytest.raises(ApplicationError) as refused:
        await office.decide(office.decision(person, asked))
    assert refused.value.type == code
    assert refused.value.non_retryable
    assert await office.refusals() == [(person, code)]
    assert await office.state(asked) == "open"


async def test_a_deactivated_person_is_refused_though_the_token_is_good(office: Office) -> None:
    asked = await office.open()
    decision = office.decision("u-fin", asked)
    await office.people.set_active("u-fin", False, "u-admin", NOW)
    with pytest.raises(ApplicationError) as refused:
        await office.decide(decision)
    assert refused.value.type == RefusalCode.PERSON_INACTIVE


async def test_a_decision_needs_a_remark_and_the_token_is_not_spent_by_trying(office: Office) -> None:
    asked = await office.open()
    token = office.token("u-fin", asked)
    with pytest.raises(ApplicationError) as refused:
        await office.decide(office.decision("u-fin", asked, token=token, remark="  "))
    assert refused.value.type == RefusalCode.REMARK_REQUIRED
    assert (await office.decide(office.decision("u-fin", asked, token=token))).approved


async def test_of_two_who_race_one_wins_and_the_other_is_told_who(office: Office) -> None:
    asked = await office.open()
    yes = office.decide(office.decision("u-fin", asked))
    no = office.decide(office.decision("u-fin2", asked, decision="reject"))
    results = await asyncio.gather(yes, no, return_exceptions=True)
    lost = [r for r in results if isinstance(r, ApplicationError)]
    won = [r for r in results if not isinstance(r, BaseException)]
    assert [r.type for r in lost] == [RefusalCode.ALREADY_DECIDED]
    assert won[0].person_id in lost[0].message
    standing, loser = lost[0].details
    assert standing == won[0] and {loser, won[0].person_id} == {"u-fin", "u-fin2"}


async def test_what_was_rejected_cannot_be_approved(office: Office) -> None:
    asked = await office.open()
    await office.decide(office.decision("u-fin", asked, decision="reject"))
    with pytest.raises(ApplicationError) as refused:
        await office.decide(office.decision("u-fin2", asked))
    assert refused.value.type == RefusalCode.ALREADY_DECIDED
    with pytest.raises(DecisionRefused) as unusable:
        await office.approvals.use(asked.approval_id, asked.content_hash, "R-1", NOW)
    assert unusable.value.code is RefusalCode.NOT_APPROVED


async def test_a_retry_of_the_same_request_gets_the_same_answer(office: Office) -> None:
    asked = await office.open()
    decision = office.decision("u-fin", asked)
    first = await office.decide(decision, attempt_of="7")
    assert await office.decide(decision, attempt_of="7") == first


async def test_a_delegate_decides_for_the_delegator_until_the_end_and_never_what_the_delegator_asked(
    office: Office,
) -> None:
    asked = await office.open()
    later = NOW + timedelta(days=2)
    await office.people.delegate("u-fin", "u-out", later, "u-admin", NOW)
    decided = await office.decide(office.decision("u-out", asked))
    assert (decided.person_id, decided.on_behalf_of) == ("u-out", "u-fin")
    own = question(2, requested_by="u-fin", content={"amount_minor": 2})
    await office.approvals.open(own, "order/SO26112001", NOW)
    with pytest.raises(ApplicationError) as refused:
        await office.decide(office.decision("u-out", own))
    assert refused.value.type == RefusalCode.SELF_APPROVAL
    office.passes(timedelta(days=2))
    third = question(3, content={"amount_minor": 3})
    await office.approvals.open(third, "order/SO26112001", NOW)
    with pytest.raises(ApplicationError) as over:
        await office.decide(office.decision("u-out", third))
    assert over.value.type == RefusalCode.WRONG_ROLE


async def test_an_approval_serves_once_and_only_for_its_content(office: Office) -> None:
    asked = await office.open()
    await office.decide(office.decision("u-fin", asked))
    use = office.approvals.use
    await use(asked.approval_id, asked.content_hash, "R-1", NOW)
    await use(asked.approval_id, asked.content_hash, "R-1", NOW)
    with pytest.raises(DecisionRefused) as twice:
        await use(asked.approval_id, asked.content_hash, "R-2", NOW)
    assert twice.value.code is RefusalCode.APPROVAL_USED
    raised = question(1, content={"amount_minor": 20_000})
    with pytest.raises(DecisionRefused) as changed:
        await use(asked.approval_id, raised.content_hash, "R-1", NOW)
    assert changed.value.code is RefusalCode.HASH_MISMATCH


@pytest.mark.parametrize("what", ["deactivated", "role taken"])
async def test_the_approver_is_looked_at_again_at_execution(office: Office, what: str) -> None:
    asked = await office.open()
    await office.decide(office.decision("u-fin", asked))
    if what == "deactivated":
        await office.people.set_active("u-fin", False, "u-admin", NOW)
    else:
        await office.people.set_role("u-fin", Role.FINANCE, False, "u-admin", NOW)
    with pytest.raises(DecisionRefused) as refused:
        await office.approvals.use(asked.approval_id, asked.content_hash, "R-1", NOW)
    code = RefusalCode.PERSON_INACTIVE if what == "deactivated" else RefusalCode.WRONG_ROLE
    assert refused.value.code is code
    assert ("system", code) in await office.refusals()


async def test_the_same_number_is_not_asked_with_other_content(office: Office) -> None:
    await office.open()
    with pytest.raises(ApprovalChanged):
        await office.approvals.open(question(content={"amount_minor": 1}), "order/SO26112001", NOW)


async def test_a_withdrawn_question_takes_no_answer(office: Office) -> None:
    asked = await office.open()
    assert await office.approvals.withdraw(asked.approval_id, "u-cs", "no longer needed", NOW)
    with pytest.raises(ApplicationError) as refused:
        await office.decide(office.decision("u-fin", asked))
    assert refused.value.type == RefusalCode.ALREADY_DECIDED


async def test_nobody_gives_themselves_a_role_or_takes_somebodys_place(office: Office) -> None:
    await office.open()
    with pytest.raises(PersonRefused):
        await office.people.set_role("u-out", Role.FINANCE, True, "u-out", NOW)
    with pytest.raises(PersonRefused):
        await office.people.delegate("u-fin", "u-out", NOW + timedelta(days=1), "u-out", NOW)
    with pytest.raises(PersonRefused):
        await office.people.delegate("u-fin", "u-out", NOW, "u-admin", NOW)


BY_FINANCE = "state = 'approved', decided_at = now(), remark = 'x', decided_role = 'FINANCE', decided_by = "


@pytest.mark.parametrize(
    ("change", "constraint"),
    [
        (BY_FINANCE + "'u-cs'", "approvals_not_by_requester"),
        (BY_FINANCE + "'u-fin', on_behalf_of = 'u-cs'", "approvals_not_by_requester"),
        (BY_FINANCE + "'u-sup'", "approvals_by_another_person"),
        (BY_FINANCE.replace("FINANCE", "ADMIN") + "'u-fin'", "approvals_in_the_asked_role"),
        ("state = 'approved'", "approvals_decided_in_full"),
        ("used_at = now(), used_for = 'R-1'", "approvals_used_once_approved"),
    ],
)
async def test_the_database_itself_refuses_what_the_rules_refuse(office: Office, change: str, constraint: str) -> None:
    await office.open()
    with pytest.raises(asyncpg.CheckViolationError) as refused:
        await office.pool.execute(f"UPDATE approvals SET {change}")  # noqa: S608
    assert refused.value.constraint_name == constraint


async def test_a_decision_in_the_books_stays_as_it_is(office: Office) -> None:
    asked = await office.open()
    await office.decide(office.decision("u-fin", asked, decision="reject"))
    for statement in (
        "UPDATE approvals SET state = 'approved'",
        "UPDATE approvals SET content = '{}'",
        "DELETE FROM approvals",
        "DELETE FROM used_tokens",
        "TRUNCATE approvals CASCADE",
    ):
        with pytest.raises(asyncpg.RestrictViolationError):
            await office.pool.execute(statement)
    assert await office.state(asked) == "rejected"
