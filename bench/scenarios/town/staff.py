"""The people of a house: they have roles in its books, get tokens from its own issuer, and decide as everywhere."""

import json
from collections.abc import Callable
from datetime import datetime
from itertools import count
from typing import Literal

from temporalio.client import Client

from domain.approvals import Decided, Decision, Role
from providers.tokens.issue import issue, key_set, new_key, read_key
from providers.tokens.keys import GivenKeys, read_key_set
from providers.tokens.verify import Issuer, TokenVerifier
from starter.approvals import ApprovalClient
from store.approvals import Approval, ApprovalStore
from store.people import PeopleStore
from store.pool import Pool

ISSUER, AUDIENCE = "town", "town-approvals"
HIRED_BY = "town"


class Staff:
    def __init__(self, pool: Pool, temporal: Client, now: Callable[[], datetime]) -> None:
        self.people = PeopleStore(pool)
        self.approvals = ApprovalStore(pool)
        self._client = ApprovalClient(temporal)
        self._now = now
        self._key = read_key(new_key())
        self._numbers = count(1)
        keys = GivenKeys(read_key_set(json.dumps(key_set(self._key))))
        self.verifier = TokenVerifier([Issuer(ISSUER, AUDIENCE, keys)], now)

    async def hire(self, person: str, *roles: Role) -> None:
        await self.people.add(person, roles, HIRED_BY, self._now())

    async def open(self, subject: str | None = None) -> tuple[Approval, ...]:
        """What waits for a decision, the longest waiting first."""
        return await self.approvals.list(subject=subject)

    async def decide(
        self,
        person: str,
        approval_id: str,
        decision: Literal["approve", "reject"] = "approve",
        remark: str = "looked at it",
    ) -> Decided:
        """Through the update of the workflow that waits. Raises `starter.approvals.DecisionNotTaken`."""
        approval = await self.approvals.get(approval_id)
        assert approval is not None and approval.workflow_id is not None, f"nobody has asked for {approval_id}"
        return await self._client.decide(approval.workflow_id, await self.decision(person, approval, decision, remark))

    async def decision(
        self, person: str, approval: Approval, decision: Literal["approve", "reject"], remark: str
    ) -> Decision:
        """With a token of this person for exactly this approval."""
        request = approval.request
        token = issue(
            self._key, person, request.approval_id, request.content_hash, token_id=f"{next(self._numbers)}",
            issuer=ISSUER, audience=AUDIENCE, now=self._now(),
        )  # fmt: skip
        return Decision(
            approval_id=request.approval_id, decision=decision, remark=remark, content_hash=request.content_hash,
            token=token,
        )  # fmt: skip
