"""People, keys and one question: what the tests of approvals share. The decide activity is the real one, on the real
store, called as a workflow's request with a number."""

import json
from dataclasses import replace
from datetime import UTC, datetime, timedelta
from typing import Any

from temporalio.testing import ActivityEnvironment

from activities.approvals import Decide, PeopleActivities
from domain.approvals import ApprovalRequest, Decided, Decision, Role, ask
from providers.tokens.issue import SigningKey, issue, key_set, new_key, read_key
from providers.tokens.keys import GivenKeys, read_key_set
from providers.tokens.verify import Issuer, TokenVerifier
from store.approvals.approvals import ApprovalStore
from store.approvals.people import PeopleStore
from store.audit.audit import AuditRow, AuditStore
from store.pool import Pool

NOW = datetime(2026, 11, 20, 8, 0, tzinfo=UTC)
ORDER = "SO26112001"
WORKFLOW = f"order/{ORDER}"
ISSUER, AUDIENCE = "oms-local", "oms-approvals"
CONTENT = {"amount_minor": 10_001, "currency": "CNY", "lines": {"L1": 1}}


def question(n: int = 1, **changed: Any) -> ApprovalRequest:
    asked: dict[str, Any] = {
        "kind": "refund_payout", "subject": ORDER, "n": n, "version": 1, "role": Role.FINANCE,
        "requested_by": "u-cs", "content": CONTENT, "order_no": ORDER, "excluded": ("u-sup",),
    }  # fmt: skip
    return ask(**(asked | changed))


class Office:
    """`u-cs` asks, `u-sup` has approved before, `u-fin` and `u-fin2` are finance, `u-admin` looks after people."""

    def __init__(self, pool: Pool) -> None:
        self.pool = pool
        self.people = PeopleStore(pool)
        self.approvals = ApprovalStore(pool)
        self.audit = AuditStore(pool)
        self.key: SigningKey = read_key(new_key())
        self.issuers = [Issuer(ISSUER, AUDIENCE, GivenKeys(read_key_set(json.dumps(key_set(self.key)))))]
        self.now = NOW
        self._count = 0

    async def open(self, request: ApprovalRequest | None = None) -> ApprovalRequest:
        roles = {
            "u-cs": [Role.CS_AGENT, Role.FINANCE],
            "u-sup": [Role.CS_SUPERVISOR, Role.FINANCE],
            "u-fin": [Role.FINANCE],
            "u-fin2": [Role.FINANCE],
            "u-out": [Role.WAREHOUSE],
        }
        for person, held in roles.items():
            await self.people.add(person, held, "u-admin", NOW)
        asked = request or question()
        await self.approvals.open(asked, WORKFLOW, NOW)
        return asked

    def token(self, person: str, request: ApprovalRequest, **changed: Any) -> str:
        self._count += 1
        made: dict[str, Any] = {
            "token_id": f"t{self._count}", "issuer": ISSUER, "audience": AUDIENCE, "now": self.now,
        }  # fmt: skip
        made |= changed
        return issue(self.key, person, request.approval_id, request.content_hash, **made)

    def decision(self, person: str, request: ApprovalRequest, **changed: Any) -> Decision:
        made: dict[str, Any] = {
            "approval_id": request.approval_id, "decision": "approve", "remark": "looked at it",
            "content_hash": request.content_hash,
        }  # fmt: skip
        made |= changed
        if "token" not in made:
            made["token"] = self.token(person, request)
        return Decision(**made)

    async def decide(
        self, decision: Decision, request: ApprovalRequest | None = None, *, attempt_of: str | None = None
    ) -> Decided:
        """As a request of the order's workflow; `attempt_of`: the same request once more."""
        self._count += 1
        environment = ActivityEnvironment()
        environment.info = replace(
            environment.info, workflow_id=WORKFLOW, activity_id=attempt_of or f"request-{self._count}"
        )
        activities = PeopleActivities(self.approvals, TokenVerifier(self.issuers, lambda: self.now), lambda: self.now)
        return await environment.run(activities.decide, Decide(decision=decision, request=request))

    async def refusals(self) -> list[tuple[str, str]]:
        """Actor and code of every refusal in the audit, oldest first."""
        rows: tuple[AuditRow, ...] = await self.audit.list()
        return [(row.actor, row.detail["code"]) for row in reversed(rows) if row.action == "approval.refused"]

    async def state(self, request: ApprovalRequest) -> str:
        found = await self.approvals.get(request.approval_id)
        assert found is not None
        return found.state

    def passes(self, time: timedelta) -> None:
        self.now += time
