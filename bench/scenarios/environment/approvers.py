"""The people of a house: who may decide what, and the tokens that prove who it is. The verifier is production's."""

import json
from functools import cached_property
from itertools import count
from typing import Any

from activities.access.api_keys import ApiIssuers
from activities.access.assembly import deciding_people
from domain.access.authority import Binding
from domain.approvals import Decided, Decision, Role
from domain.clock import Clock
from providers.tokens.issue import SigningKey, issue, issue_proof, key_set, new_key, read_key
from providers.tokens.keys import GivenKeys, read_key_set
from providers.tokens.verify import Issuer, TokenVerifier
from starter.clients.approvals import ApprovalClient
from store.approvals.approvals import Approval, ApprovalStore
from store.approvals.people import PeopleStore
from store.pool import Pool

ISSUER, AUDIENCE, SHOP = "oms-local", "oms-approvals", "svc-shop"
ADMIN = "u-admin"
STAFF = {
    "u-cs": (Role.CS_AGENT,),
    "u-sup": (Role.CS_SUPERVISOR,),
    "u-sup2": (Role.CS_SUPERVISOR,),
    "u-fin": (Role.FINANCE,),
    "u-fin2": (Role.FINANCE,),
    "u-wh": (Role.WAREHOUSE,),
    "u-ops": (Role.ORDER_OPS,),
}
DECIDERS = {Role.CS_SUPERVISOR: "u-sup", Role.FINANCE: "u-fin", Role.ORDER_OPS: "u-ops"}
"""Who decides in a play when nobody is named."""


class Approvers:
    """`clock`: the time of the environment, for tokens and for the activities that verify them."""

    def __init__(self, pool: Pool, clock: Clock, *, proofs_demanded: bool = False) -> None:
        self.people = PeopleStore(pool)
        self.approvals = ApprovalStore(pool)
        self._pool = pool
        self._clock = clock
        self.key: SigningKey = read_key(new_key())
        self.shop_key: SigningKey = read_key(new_key())
        self._numbers = count(1)
        self._staffed = False
        self._proofs_demanded = proofs_demanded
        self.channels: dict[str, tuple[str, ...]] = {}
        """Of which a service may start orders, where that is not all."""
        self.providers: dict[str, Issuer] = {}
        """Where people sign in, beside the local issuer."""

    def activities(self) -> list[Any]:
        proofs, channels = self._proofs_demanded, self.channels
        return deciding_people(self._pool, self.verifier, self._clock, proofs=proofs, channels=channels)

    @cached_property
    def verifier(self) -> TokenVerifier:
        issuers = [
            Issuer(ISSUER, AUDIENCE, _keys(self.key)),
            Issuer(SHOP, AUDIENCE, _keys(self.shop_key), "service"),
        ]
        programs = ApiIssuers(self._pool, AUDIENCE, self._clock)
        return TokenVerifier(issuers, self._clock, lambda name: self.providers.get(name) or programs(name))

    async def prove(self, binding: Binding, by: str) -> str:
        """A `Prover`: staff sign in, for everybody else the shop's backend speaks."""
        if by in STAFF:
            return self.proof(by, binding)
        return self.proof(SHOP, binding, key=self.shop_key, issuer=SHOP, on_behalf_of=by)

    def proof(self, caller: str, binding: Binding, key: SigningKey | None = None, **changed: Any) -> str:
        made: dict[str, Any] = {
            "token_id": f"t{next(self._numbers)}", "issuer": ISSUER, "audience": AUDIENCE, "now": self._clock(),
        }  # fmt: skip
        return issue_proof(key or self.key, caller, binding, **(made | changed))

    async def open_for_business(self) -> None:
        if not self._staffed:
            self._staffed = True
            for person, roles in STAFF.items():
                await self.people.add(person, list(roles), ADMIN, self._clock())

    async def waiting(self, subject: str) -> tuple[Approval, ...]:
        return await self.approvals.list(subject=subject)

    def token(self, person: str, approval: Approval, **changed: Any) -> str:
        made: dict[str, Any] = {
            "token_id": f"t{next(self._numbers)}", "issuer": ISSUER, "audience": AUDIENCE, "now": self._clock(),
        }  # fmt: skip
        r = approval.request
        return issue(self.key, person, r.approval_id, r.content_hash, **(made | changed))

    def decision(self, approval: Approval, person: str, verdict: str = "approve", **changed: Any) -> Decision:
        r = approval.request
        made: dict[str, Any] = {
            "approval_id": r.approval_id, "decision": verdict, "remark": "looked at it", "content_hash": r.content_hash,
        }  # fmt: skip
        made |= changed
        if "token" not in made:
            made["token"] = self.token(person, approval)
        return Decision(**made)

    async def decide(
        self, client: ApprovalClient, approval: Approval, person: str | None = None, verdict: str = "approve"
    ) -> Decided:
        """Through the typed client, as `oms approve` does. Raises `DecisionNotTaken`."""
        await self.open_for_business()
        who = person or DECIDERS[approval.request.role]
        assert approval.workflow_id is not None
        return await client.decide(approval.workflow_id, self.decision(approval, who, verdict))


def _keys(key: SigningKey) -> GivenKeys:
    return GivenKeys(read_key_set(json.dumps(key_set(key))))
