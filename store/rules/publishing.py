"""The question whether a rule draft is to count: who has to say so, and what they are told."""

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any

from domain.access.loosening_books import perhaps_looser
from domain.approvals import Role
from domain.rules.changes import changes, same_rules
from domain.rules.route_checks import looser_routes
from domain.rules.sets import TableName
from store.errors import RuleSetNotPublished, RuleSetOvertaken
from store.pool import Connection
from store.rules.defaults import complete
from store.rules.rule_sets import Draft, last_simulation, what_counts

APPROVER = Role.ORDER_OPS
MONEY_APPROVER = Role.FINANCE
"""Where a table is another one that says who approves money, or what goes back."""
MONEY_TABLES: tuple[TableName, ...] = ("approval_route", "return_policy", "freight_back")
MOST_TOLD = 60
"""Changed rows in the question to the approver; `oms rules diff` has all."""


@dataclass(frozen=True)
class RulesQuestion:
    role: Role
    content: dict[str, Any]
    looser: Sequence[str]
    drafted_by: str


async def rules_question(connection: Connection, draft: Draft) -> RulesQuestion:
    """Raises `RuleSetNotPublished`, `RuleSetOvertaken`."""
    if draft.version is not None:
        raise RuleSetNotPublished(draft.draft_no, f"it is version {draft.version} already")
    counts = await what_counts(connection)
    if counts.version != draft.based_on:
        raise RuleSetOvertaken(draft.draft_no, draft.based_on, counts.version)
    if same_rules(complete(counts), draft.rule_set):
        raise RuleSetNotPublished(draft.draft_no, f"nothing in it differs from version {counts.version}, which counts")
    simulated = await last_simulation(connection, draft.draft_no)
    if simulated is None and draft.copies is None:
        why = f"it was never tried on past orders; do so with `oms rules simulate {draft.draft_no}`"
        raise RuleSetNotPublished(draft.draft_no, why)
    found = changes(complete(counts), draft.rule_set)
    before, after = complete(counts).tables, draft.rule_set.tables
    about_money = any(before[name] != after[name] for name in MONEY_TABLES)
    content = {
        "draft": draft.draft_no,
        "name": draft.rule_set.name,
        "content_hash": draft.content_hash,
        "based_on": draft.based_on,
        "brings_back": draft.copies,
        "warnings": len(draft.warnings),
        "simulated": simulated,
        "rows_changed": len(found),
        "changes": [str(change)[:300] for change in found[:MOST_TOLD]],
    }
    looser = (*looser_routes(counts, draft.rule_set), *perhaps_looser(found))
    return RulesQuestion(MONEY_APPROVER if about_money else APPROVER, content, looser, draft.drafted_by)
