"""Rule sets in the books of a test: drafted by `u-ed`, approved by `u-boss`."""

from datetime import datetime

from domain.approvals import Decided, Role, ask
from domain.rules.sets import Document, RuleSet
from store.approvals.approvals import ApprovalStore
from store.pool import Pool
from store.rules.rule_sets import Draft, PublishedRules, RuleSetStore
from tests.store.examples import NOW


def given(**tables: Document) -> RuleSet:
    return RuleSet.model_validate({"name": "test", "tables": tables})


async def approved(pool: Pool, draft: Draft, by: str = "u-boss", content_hash: str | None = None) -> Decided:
    """As `oms approve` leaves it; the approval's own rules have their own tests."""
    request = ask(
        "publish_rules", subject=f"rules/{draft.draft_no}", n=1, version=1, role=Role.ORDER_OPS,
        requested_by=draft.drafted_by, content={"content_hash": content_hash or draft.content_hash},
    )  # fmt: skip
    await ApprovalStore(pool).open(request, None, NOW)
    await pool.execute(
        "INSERT INTO people (person_id, source, created_at) VALUES ($1, 'local', now()) ON CONFLICT DO NOTHING", by
    )
    await pool.execute(
        """UPDATE approvals SET state = 'approved', decided_at = now(), decided_by = $2, decided_role = role,
        remark = 'ok' WHERE approval_id = $1""",
        request.approval_id,
        by,
    )
    return Decided(
        approval_id=request.approval_id, decision="approve", person_id=by, role=Role.ORDER_OPS, remark="ok", at=NOW,
        content_hash=request.content_hash,
    )  # fmt: skip


async def published(pool: Pool, *, by: str = "u-boss", **tables: Document) -> PublishedRules:
    return await published_at(pool, NOW, by, **tables)


async def published_at(pool: Pool, at: datetime, by: str = "u-boss", /, **tables: Document) -> PublishedRules:
    """`at`: the same tables of the same person at the same moment are the same draft, told again."""
    rules = RuleSetStore(pool)
    draft = await rules.draft(given(**tables), "u-ed", at)
    return await rules.publish(draft, await approved(pool, draft, by), at)
