"""Nobody switches the controls off alone: people, roles, policies and rules change by two (decision 0039)."""

import asyncio
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta
from typing import Any

import pytest
import pytest_asyncio
from asyncpg import InsufficientPrivilegeError
from temporalio.client import WorkflowUpdateFailedError
from temporalio.exceptions import ApplicationError

from bench.scenarios.environment import ScenarioEnvironment
from deploy.local.logins import as_role
from domain.access.authority import Binding, ProofCode, message_hash
from domain.access.controls import (
    AddPerson,
    ControlChange,
    DelegateRoles,
    PublishPolicy,
    SetActive,
    SetRole,
    control_workflow_id,
    subject_of,
)
from domain.approvals import Decision, RefusalCode, Role
from domain.policy import Policy
from starter.clients.approvals import ApprovalClient, DecisionNotTaken
from starter.clients.controls import ChangeNotAsked, ControlClient
from starter.clients.errors import CommandRefused
from store.approvals.approvals import Approval
from store.approvals.controls import ControlStore
from store.approvals.people import PeopleStore
from store.errors import ChangeExpired, PersonRefused
from store.pool import open_pool
from store.rules.policies import PolicyStore
from store.rules.policy_drafts import PolicyDrafts
from tests.authority.sender import FOREIGN
from tests.store.access.logins import logged_in
from workflows.approvals.control_messages import ChangeOfControls, ControlAnswer

MORE_MONEY = Policy(small_refund_max_minor=99_999_999, cumulative_refunds=False)
CRONY = AddPerson(person_id="u-crony", roles=(Role.FINANCE,))


@dataclass
class Controls:
    """`u-admin1` to `u-admin3` are administrators, `u-fin` and `u-fin2` are finance."""

    house: ScenarioEnvironment

    def client(self, signed_by: str | None = "by", **changed: Any) -> ControlClient:
        async def prove(binding: Binding, by: str) -> str:
            return self.house.office.proof(by if signed_by == "by" else str(signed_by), binding, **changed)

        return ControlClient(self.house.temporal, prover=None if signed_by is None else prove)

    async def ask(self, change: ControlChange, by: str = "u-admin1", n: int = 1) -> Approval:
        answer = await self.client().ask(change, n, by)
        assert answer.state == "asked" and answer.approval is not None
        found = await self.house.office.approvals.get(answer.approval.approval_id)
        assert found is not None
        return found

    async def drafted(self, policy: Policy) -> PublishPolicy:
        """By `u-ops`, tried on what there is."""
        drafts = PolicyDrafts(self.house.pool)
        current = await PolicyStore(self.house.pool).current()
        number = await drafts.draft(policy, "test", current.version, "u-ops", datetime.now(UTC))
        await drafts.try_on_the_past(number, "u-ops", self.house.now())
        return PublishPolicy(policy=policy, draft_no=number)

    async def decide(self, approval: Approval, person: str, verdict: str = "approve") -> ControlAnswer:
        await self.decided(self.house.office.decision(approval, person, verdict))
        return await self.client().outcome(approval.request.approval_id)

    async def decided(self, decision: Decision) -> None:
        name = decision.approval_id.removeprefix("A-")
        await ApprovalClient(self.house.temporal).decide(f"controls/{name}", decision)

    async def roles(self, person: str) -> set[Role]:
        found = await self.house.office.people.principal(person, self.house.now())
        return set() if found is None or not found.active else set(found.roles)

    async def audited(self, action: str) -> int:
        count: int = await self.house.pool.fetchval("SELECT count(*) FROM audit WHERE action = $1", action)
        return count


@pytest_asyncio.fixture(loop_scope="session")
async def controls(house: ScenarioEnvironment) -> Controls:
    for admin in ("u-admin1", "u-admin2", "u-admin3"):
        await house.office.people.add(admin, [Role.ADMIN], "installation", house.now())
    return Controls(house)


async def test_a_person_with_a_money_role_is_added_by_two_and_the_approver_reads_what_it_lets_through(
    controls: Controls,
) -> None:
    asked = await controls.ask(CRONY)
    assert await controls.roles("u-crony") == set()
    assert any("u-crony gets FINANCE" in line and "放款" in line for line in asked.request.content["looser"])
    (ticket,) = await controls.house.tickets.list(system="approvals")
    assert "u-admin2, u-admin3" in ticket.error and "u-admin1 asks" in ticket.error
    assert await controls.house.pool.fetchval("SELECT count(*) FROM ticket_notices") == 1
    done = await controls.decide(asked, "u-admin2")
    assert (done.state, await controls.roles("u-crony")) == ("made", {Role.FINANCE})
    assert (await controls.house.tickets.list(system="approvals", state=None))[0].state == "resolved"
    assert await controls.audited("people.add") >= 1 and await controls.audited("approval.use") == 1


async def test_a_policy_is_published_by_two_and_its_limits_are_told_in_words(controls: Controls) -> None:
    asked = await controls.ask(await controls.drafted(MORE_MONEY), "u-ops")
    looser = "\n".join(asked.request.content["looser"])
    assert "100.00 → 999,999.99" in looser and "switched off: the refunds of an order are added up" in looser
    policies = PolicyStore(controls.house.pool)
    assert (await policies.current()).small_refund_max_minor == 10_000
    assert (await controls.decide(asked, "u-fin")).state == "made"
    assert (await policies.current()).small_refund_max_minor == 99_999_999


@pytest.mark.parametrize(
    ("decider", "code"),
    [
        ("u-admin1", RefusalCode.SELF_APPROVAL), ("u-admin3", RefusalCode.NOT_DISTINCT),
        ("u-fin", RefusalCode.WRONG_ROLE), ("u-sup", RefusalCode.WRONG_ROLE),
    ],
)  # fmt: skip
async def test_neither_who_asks_nor_whom_it_is_about_nor_another_role_decides(
    controls: Controls, decider: str, code: RefusalCode
) -> None:
    asked = await controls.ask(SetRole(person_id="u-admin3", role=Role.FINANCE, held=True))
    with pytest.raises(DecisionNotTaken) as refused:
        await controls.decided(controls.house.office.decision(asked, decider))
    assert refused.value.type == code
    assert await controls.roles("u-admin3") == {Role.ADMIN}


async def test_a_decision_without_a_token_of_ours_changes_nothing(controls: Controls) -> None:
    asked = await controls.ask(CRONY)
    office = controls.house.office
    for token in ("", "no.token.atall", office.token("u-admin2", asked, issuer="somebody")):
        with pytest.raises(DecisionNotTaken):
            await controls.decided(office.decision(asked, "u-admin2", token=token))
    assert await controls.roles("u-crony") == set()


async def test_nobody_asks_unproven_with_foreign_keys_or_in_another_role(controls: Controls) -> None:
    attempts: list[tuple[ControlClient, ControlChange, str, str]] = [
        (controls.client(None), CRONY, "u-admin1", ProofCode.PROOF_REQUIRED),
        (controls.client(key=FOREIGN), CRONY, "u-admin1", ProofCode.TOKEN_INVALID),
        (controls.client("u-ops"), CRONY, "u-admin1", ProofCode.NOT_THE_SENDER),
        (controls.client(), CRONY, "u-fin", ProofCode.WRONG_ROLE),
        (controls.client(), PublishPolicy(policy=MORE_MONEY), "u-cs", ProofCode.WRONG_ROLE),
        (controls.client(), SetActive(person_id="u-fin", active=False), "u-sup", ProofCode.WRONG_ROLE),
    ]
    for client, change, by, code in attempts:
        with pytest.raises(CommandRefused) as refused:
            await client.ask(change, 1, by)
        assert refused.value.type == code
    assert await controls.house.office.approvals.list(state=None) == ()
    assert await controls.audited("command.refused") == len(attempts)


async def test_a_proof_for_one_change_asks_for_no_other(controls: Controls) -> None:
    wanted = ChangeOfControls(change=AddPerson(person_id="u-new", roles=(Role.WAREHOUSE,)), by="u-admin1")
    made_for = Binding(
        control_workflow_id(subject_of(CRONY), 1), "controls.change", message_hash(wanted.model_dump(mode="json"))
    )

    async def prove(_binding: Binding, by: str) -> str:
        return controls.house.office.proof(by, made_for)

    with pytest.raises(CommandRefused) as refused:
        await ControlClient(controls.house.temporal, prover=prove).ask(CRONY, 1, "u-admin1")
    assert refused.value.type == ProofCode.PROOF_MISMATCH


async def test_nobody_gives_themselves_a_role_or_takes_anothers_place_by_themselves(controls: Controls) -> None:
    until = datetime(2100, 1, 1, tzinfo=UTC)
    for change in (
        SetRole(person_id="u-admin1", role=Role.FINANCE, held=True),
        AddPerson(person_id="u-admin1", roles=(Role.FINANCE,)),
        DelegateRoles(delegator="u-fin", delegate="u-admin1", until=until),
        SetRole(person_id="u-nobody", role=Role.FINANCE, held=True),
    ):
        with pytest.raises(ChangeNotAsked) as refused:
            await controls.client().ask(change, 1, "u-admin1")
        assert refused.value.type == "ChangeRefused"
    assert await controls.house.office.approvals.list(state=None) == ()


async def test_an_approver_who_has_gone_meanwhile_lets_nothing_through(controls: Controls) -> None:
    pool = controls.house.pool
    await pool.execute(
        "CREATE FUNCTION gone() RETURNS trigger LANGUAGE plpgsql AS $$ BEGIN UPDATE people "
        " SET active = false, deactivated_at = now() WHERE person_id = NEW.decided_by; RETURN NEW; END $$"
    )
    await pool.execute("CREATE TRIGGER gone AFTER UPDATE OF state ON approvals FOR EACH ROW EXECUTE FUNCTION gone()")
    done = await controls.decide(await controls.ask(CRONY), "u-admin2")
    assert (done.state, await controls.roles("u-crony")) == ("not_made", set())
    assert "deactivated" in done.said and await controls.audited("controls.not_changed") == 1


async def test_who_asked_and_has_gone_meanwhile_stands_behind_nothing(controls: Controls) -> None:
    people, now = controls.house.office.people, controls.house.now()
    asked = await controls.ask(CRONY)
    await people.set_role("u-admin1", Role.ADMIN, False, "installation", now)
    done = await controls.decide(asked, "u-admin2")
    assert (done.state, await controls.roles("u-crony")) == ("not_made", set())
    assert "who has asked for it" in done.said and await controls.audited("controls.not_changed") == 1


async def test_a_policy_that_another_has_overtaken_is_not_published(controls: Controls) -> None:
    first = await controls.ask(await controls.drafted(MORE_MONEY), "u-ops", 1)
    second = await controls.ask(await controls.drafted(Policy(window_s=60)), "u-ops", 2)
    assert (await controls.decide(second, "u-fin")).state == "made"
    late = await controls.decide(first, "u-fin")
    assert late.state == "not_made" and "version 1 has come since" in late.said
    assert (await PolicyStore(controls.house.pool).current()).small_refund_max_minor == 10_000


async def test_a_rejected_change_is_not_made(controls: Controls) -> None:
    done = await controls.decide(await controls.ask(CRONY), "u-admin2", "reject")
    assert (done.state, await controls.roles("u-crony")) == ("rejected", set())


async def test_deactivating_waits_for_nobody_but_no_administrator_is_left_alone(controls: Controls) -> None:
    answer = await controls.client().ask(SetActive(person_id="u-fin", active=False), 900_001, "u-admin1")
    assert (answer.state, answer.approval, await controls.roles("u-fin")) == ("made", None, set())
    back = await controls.ask(SetActive(person_id="u-fin", active=True))
    assert await controls.roles("u-fin") == set()
    assert any("u-fin gets FINANCE" in line for line in back.request.content["looser"])
    third = await controls.ask(SetActive(person_id="u-admin3", active=False))
    assert await controls.roles("u-admin3") == {Role.ADMIN}
    assert (await controls.decide(third, "u-admin2")).state == "made"


async def test_the_last_administrator_but_one_stays(controls: Controls) -> None:
    second = await controls.ask(SetRole(person_id="u-admin2", role=Role.ADMIN, held=False))
    third = await controls.ask(SetActive(person_id="u-admin3", active=False))
    assert (await controls.decide(second, "u-admin3")).state == "made"
    for person in ("u-admin1", "u-admin2", "u-admin3"):
        with pytest.raises(DecisionNotTaken):
            await controls.decided(controls.house.office.decision(third, person))
    assert await controls.roles("u-admin3") == await controls.roles("u-admin1") == {Role.ADMIN}


async def test_of_two_administrators_who_are_taken_away_by_each_other_at_once_one_stays(controls: Controls) -> None:
    taken = [
        (await controls.ask(SetRole(person_id=gone, role=Role.ADMIN, held=False)), by)
        for gone, by in (("u-admin2", "u-admin3"), ("u-admin3", "u-admin2"))
    ]
    await asyncio.gather(
        *(controls.decided(controls.house.office.decision(approval, by)) for approval, by in taken),
        return_exceptions=True,
    )
    for approval, _ in taken:
        found = await controls.house.office.approvals.get(approval.request.approval_id)
        if found is not None and found.state == "approved":
            await controls.client().outcome(approval.request.approval_id)
    left = [person for person in ("u-admin1", "u-admin2", "u-admin3") if await controls.roles(person)]
    assert len(left) == 2


async def test_only_an_installation_without_administrators_is_given_two(house: ScenarioEnvironment) -> None:
    now, pool = house.now(), await open_pool(as_role(house.url, "oms_operator"), max_size=1)
    people = PeopleStore(pool)
    for pair in (("u-one", "u-one"), ("u-one", "u-gone")):
        await house.office.people.add("u-gone", [], "installation", now)
        await house.office.people.set_active("u-gone", False, "installation", now)
        with pytest.raises(PersonRefused):
            await people.first_administrators(*pair, "root", now)
    await people.first_administrators("u-one", "u-two", "root", now)
    (row,) = await house.pool.fetch("SELECT actor, detail FROM audit WHERE action = 'people.first_administrators'")
    assert (row["actor"], row["detail"]) == ("root", {"people": ["u-one", "u-two"]})
    with pytest.raises(PersonRefused):
        await people.first_administrators("u-crony", "u-crony2", "root", now)
    await pool.close()


async def test_who_may_only_work_with_oms_writes_none_of_it_into_the_database(
    controls: Controls,
) -> None:
    """What was asked in another's name, decided in another's name, or written past both."""
    asked = await controls.ask(CRONY)
    async with logged_in(controls.house.url, "oms_operator") as oms:
        for statement in (
            "INSERT INTO person_roles (person_id, role, granted_at, granted_by) VALUES ('u-cs', 'FINANCE', now(), 'x')",
            "SELECT decide_approval('A-people/u-crony-1', 'approved', now(), 'u-admin2', 'ADMIN', NULL, 'r')",
            """INSERT INTO approvals (approval_id, kind, subject, version, role, requested_by, content, content_hash,
                opened_at) VALUES ('A-policy-1', 'publish_policy', 'policy', 1, 'FINANCE', 'u-ops', '{}',
                repeat('0', 64), now())""",
            "INSERT INTO policies (version, policy, published_by) VALUES (9, '{\"version\": 9}', 'u-fin')",
        ):
            with pytest.raises(InsufficientPrivilegeError):
                await oms.execute(statement)
    found = await controls.house.office.approvals.get(asked.request.approval_id)
    assert found is not None and found.state == "open"


async def test_what_was_asked_is_what_is_made_and_asking_twice_is_no_second_question(controls: Controls) -> None:
    asked = await controls.ask(CRONY)
    assert asked.request.content["change"]["roles"] == ["FINANCE"]
    with pytest.raises(ChangeNotAsked) as taken:
        await controls.client().ask(AddPerson(person_id="u-crony", roles=(Role.ADMIN,)), 1, "u-admin1")
    assert taken.value.type == "Exists"
    with pytest.raises(WorkflowUpdateFailedError) as refused:
        handle = controls.house.temporal.get_workflow_handle("controls/people/u-crony-1")
        await handle.execute_update("decide", {"approval_id": asked.request.approval_id, "decision": "approve"})
    assert isinstance(refused.value.cause, ApplicationError)
    assert await controls.roles("u-crony") == set()


async def test_a_question_about_the_controls_expires_and_is_told(controls: Controls) -> None:
    asked = await controls.ask(CRONY)
    await controls.house.pass_until(controls.house.now() + timedelta(days=15))
    answer = await controls.client().outcome(asked.request.approval_id)
    assert answer.state == "expired"
    found = await controls.house.office.approvals.get(asked.request.approval_id)
    assert found is not None and found.state == "withdrawn"
    told = await controls.house.tickets.list(system="approvals")
    assert [ticket.step for ticket in told] == ["expired"] and "ask again" in told[0].error
    assert (await controls.audited("controls.expired"), await controls.roles("u-crony")) == (1, set())


async def test_a_change_that_was_approved_and_not_made_within_a_day_is_not_made_any_more(controls: Controls) -> None:
    """The worker was away: what was seen then may be something else by now."""
    asked = await controls.ask(CRONY)
    number, store, now = asked.request.approval_id, ControlStore(controls.house._worker_pool), controls.house.now()
    await controls.house.pool.execute(
        "UPDATE approvals SET state = 'approved', decided_at = $2, decided_by = 'u-admin2', decided_role = 'ADMIN', "
        "remark = 'seen' WHERE approval_id = $1",
        number, now - timedelta(hours=25),
    )  # fmt: skip
    with pytest.raises(ChangeExpired, match="ask again"):
        await store.make(number, now)
    await store.expire(number, now)
    await store.expire(number, now)
    assert (await controls.audited("controls.expired"), await controls.roles("u-crony")) == (1, set())
    assert "was not made in time" in (await controls.house.tickets.list(system="approvals", state=None))[0].error
    controls.house.clocks.leave(f"controls/{number.removeprefix('A-')}")


async def test_what_is_done_at_once_is_done_once_and_told_again_has_its_first_answer(controls: Controls) -> None:
    gone = SetActive(person_id="u-fin", active=False)
    first = await controls.client().ask(gone, 900_001, "u-admin1")
    assert first.state == "made"
    await controls.house.office.people.set_active("u-fin", True, "installation", controls.house.now())
    over = controls.house.temporal.get_workflow_handle("controls/people/u-fin-900001").result
    for client in (controls.client(), controls.client(None)):
        await over()
        assert await client.ask(gone, 900_001, "u-admin1") == first
    await over()
    assert await controls.audited("people.deactivate") == 1 and await controls.roles("u-fin")
    with pytest.raises(ChangeNotAsked):
        await controls.client().ask(gone, 900_001, "u-admin2")
    other = SetActive(person_id="u-fin", active=False)
    assert (await controls.client().ask(other, 900_002, "u-admin1")).state == "made"
    assert not await controls.roles("u-fin")
