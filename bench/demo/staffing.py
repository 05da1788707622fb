"""People and the policy of a demo, by the way that everybody takes: one administrator asks, another person decides."""

import secrets
from collections.abc import Mapping
from datetime import UTC, datetime

from temporalio.client import Client

from domain.access.controls import AddPerson, ControlChange, PublishPolicy, control_workflow_id, subject_of
from domain.access.desk import DraftPolicy
from domain.approvals import Decision, Role
from domain.policy import Policy, changes
from starter.cli.approvals.token import make_token
from starter.clients.approvals import ApprovalClient
from starter.clients.controls import ControlClient
from starter.clients.desk import DeskClient
from starter.clients.proving import Prover
from store.approvals.approvals import ApprovalStore
from store.approvals.people import PeopleStore
from store.pool import Pool
from store.rules.policies import PolicyStore
from store.rules.policy_drafts import PolicyDrafts

ADMINISTRATORS = ("demo-admin", "demo-admin2")
FINANCE, OPERATOR = "demo-finance", "demo-operator"
STAFF = {
    "demo-supervisor": Role.CS_SUPERVISOR, FINANCE: Role.FINANCE, "demo-desk": Role.WAREHOUSE,
    OPERATOR: Role.ORDER_OPS,
}  # fmt: skip
DECIDERS = {Role.CS_SUPERVISOR: "demo-supervisor", Role.FINANCE: FINANCE}


class NotChanged(Exception):
    """A change that was asked for and approved was not made. Says why."""


class Office:
    def __init__(self, pool: Pool, temporal: Client, prover: Prover | None) -> None:
        self._pool = pool
        self._people = PeopleStore(pool)
        self._controls = ControlClient(temporal, prover=prover)
        self._desk = DeskClient(temporal, prover=prover)
        self._approvals = ApprovalClient(temporal)
        self._questions = ApprovalStore(pool)

    async def hire(self, staff: Mapping[str, Role]) -> None:
        """Those of an earlier demo are still there. Raises `NotChanged`."""
        for person, role in staff.items():
            known = await self._people.principal(person, datetime.now(UTC))
            if known is None or role not in known.roles:
                asks, decides = await self._administrators()
                await self._change(AddPerson(person_id=person, roles=(role,)), asks, decides)

    async def agree(self, subject: str, workflow_id: str) -> int:
        """To everything that is asked about it now. How many questions that were."""
        waiting = await self._questions.list(subject=subject)
        for approval in waiting:
            request = approval.request
            decision = Decision(
                approval_id=request.approval_id, decision="approve", remark="looked at",
                content_hash=request.content_hash, token=make_token(DECIDERS[request.role], request),
            )  # fmt: skip
            await self._approvals.decide(workflow_id, decision)
        return len(waiting)

    async def publish(self, policy: Policy) -> None:
        """Raises `NotChanged`."""
        current = await PolicyStore(self._pool).current()
        if changes(current, policy):
            await self.hire({FINANCE: Role.FINANCE, OPERATOR: Role.ORDER_OPS})
            work = DraftPolicy(policy=policy, name="demo", based_on=current.version)
            draft_no = int((await self._desk.do(work, 1 + secrets.randbelow(10**9), OPERATOR))["draft_no"])
            await PolicyDrafts(self._pool).try_on_the_past(draft_no, OPERATOR, datetime.now(UTC))
            await self._change(PublishPolicy(policy=policy, draft_no=draft_no), OPERATOR, FINANCE)

    async def _administrators(self) -> tuple[str, str]:
        """Two of the stack's own, or the first ones of an empty stack."""
        people = await self._people.list(datetime.now(UTC))
        found = [person.person_id for person in people if person.active and Role.ADMIN in person.roles]
        if not found:
            await self._people.first_administrators(*ADMINISTRATORS, "demo", datetime.now(UTC))
            return ADMINISTRATORS
        if len(found) < 2:
            raise NotChanged(f"{found[0]} is the only administrator here: nobody can decide what they ask for")
        return found[0], found[1]

    async def _change(self, change: ControlChange, asks: str, decides: str) -> None:
        subject = subject_of(change)
        n = await self._questions.asked_so_far(subject) + 1
        request = (await self._controls.ask(change, n, asks)).approval
        assert request is not None, "it gives somebody something"
        decision = Decision(
            approval_id=request.approval_id, decision="approve", remark="for the demo",
            content_hash=request.content_hash, token=make_token(decides, request),
        )  # fmt: skip
        await self._approvals.decide(control_workflow_id(subject, n), decision)
        answer = await self._controls.outcome(request.approval_id)
        if answer.state != "made":
            raise NotChanged(f"{subject} was not changed: {answer.said}")
