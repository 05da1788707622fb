"""A rule draft on its way to being published: tried on past orders, approved by another person, then numbered."""

from dataclasses import dataclass
from datetime import datetime
from typing import Literal

from domain.approvals import ApprovalRequest, Role, ask
from domain.rules.changes import changes
from domain.rules.engine import engine_of
from domain.rules.simulation import Simulated, Simulation
from store.approvals.approvals import Approval, ApprovalStore
from store.errors import RuleSetNotPublished, RuleSetOvertaken
from store.pool import Pool
from store.rules.past_plans import PastOrders
from store.rules.rule_sets import Draft, PublishedRules, RuleSetStore

APPROVER = Role.ORDER_OPS
"""Whoever publishes rules is another one of order operations."""

MOST_TOLD = 60
"""Changed rows in the question to the approver; `oms rules diff` has all."""


@dataclass(frozen=True)
class Publication:
    """How far a draft has come. `approval`: the question that is open, or was answered."""

    state: Literal["waiting", "published"]
    approval: ApprovalRequest | None
    version: int | None = None


class RulePublishing:
    def __init__(self, pool: Pool) -> None:
        self._pool = pool
        self._rules = RuleSetStore(pool)
        self._approvals = ApprovalStore(pool)

    async def simulation(self, draft: Draft) -> Simulation:
        """To be fed with past orders: what counts now against the draft."""
        return Simulation(engine_of(await self._rules.current_set()), engine_of(draft.rule_set))

    def past_orders(self) -> PastOrders:
        return PastOrders(self._pool)

    async def keep(self, draft: Draft, found: Simulated, by: str, at: datetime) -> None:
        await self._rules.keep_simulation(draft.draft_no, dict(found.summary), by, at)

    async def ask(self, draft: Draft, at: datetime) -> Approval:
        """The question to another person, asked anew when the last answer was no. Raises `RuleSetNotPublished`."""
        subject = f"rules/{draft.draft_no}"
        asked = await self._approvals.list(state=None, subject=subject, limit=1000)
        if asked and asked[-1].state in ("open", "approved"):
            return asked[-1]
        counts = (await self._rules.current_set()).version
        if counts != draft.based_on:
            raise RuleSetOvertaken(draft.draft_no, draft.based_on, counts)
        simulated = await self._rules.simulated(draft.draft_no)
        if simulated is None and draft.copies is None:
            why = f"it was never tried on past orders; do so with `oms rules simulate {draft.draft_no}`"
            raise RuleSetNotPublished(draft.draft_no, why)
        content = {
            "draft": draft.draft_no,
            "name": draft.rule_set.name,
            "content_hash": draft.content_hash,
            "based_on": draft.based_on,
            "brings_back": draft.copies,
            "warnings": len(draft.warnings),
            "simulated": simulated,
            **await self._changes(draft),
        }
        request = ask(
            "publish_rules",
            subject=subject,
            n=len(asked) + 1,
            version=len(asked) + 1,
            role=APPROVER,
            requested_by=draft.drafted_by,
            content=content,
        )
        await self._approvals.open(request, None, at)
        opened = await self._approvals.get(request.approval_id)
        assert opened is not None
        return opened

    async def _changes(self, draft: Draft) -> dict[str, object]:
        """Row by row against what counts now, as far as a person reads."""
        found = changes(await self._rules.current_set(), draft.rule_set)
        return {"rows_changed": len(found), "changes": [str(change)[:300] for change in found[:MOST_TOLD]]}

    async def publish(self, draft: Draft, at: datetime) -> Publication:
        """Publishes when it is approved; else tells what it waits for.

        Raises `RuleSetNotPublished`, `DecisionRefused`.
        """
        if draft.version is not None:
            return Publication("published", None, draft.version)
        approval = await self.ask(draft, at)
        request = approval.request
        if approval.state == "open":
            return Publication("waiting", request)
        decided = await self._approvals.use(request.approval_id, request.content_hash, request.subject, at)
        published: PublishedRules = await self._rules.publish(draft, decided, at)
        return Publication("published", request, published.version)
