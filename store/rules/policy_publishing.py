"""The question whether a draft of the policy is to count: what finance is told about it."""

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any

from domain.access.controls import PublishPolicy
from domain.access.loosening import looser_policy
from domain.policy import Policy, changes
from store.errors import ChangeRefused, PolicyOvertaken
from store.pool import Connection
from store.rules.policies import read_current
from store.rules.policy_drafts import last_policy_trial, read_policy_draft


@dataclass(frozen=True)
class PolicyQuestion:
    content: dict[str, Any]
    looser: Sequence[str]
    drafted_by: str


async def policy_question(connection: Connection, change: PublishPolicy) -> PolicyQuestion:
    """Raises `ChangeRefused`, `PolicyOvertaken`."""
    now, wanted = await read_current(connection) or Policy(), change.policy
    changed = changes(now, wanted)
    if not changed:
        raise ChangeRefused(f"nothing differs from policy version {now.version}; nothing was asked")
    if change.draft_no is None:
        raise ChangeRefused("a policy is published from a draft that was tried: `oms config policy draft`")
    draft = await read_policy_draft(connection, change.draft_no)
    if changes(draft.policy, wanted) or draft.version is not None:
        raise ChangeRefused(f"policy draft {draft.draft_no} is published already, or says something else")
    if draft.based_on != now.version:
        raise PolicyOvertaken(draft.based_on, now.version)
    trial = await last_policy_trial(connection, draft.draft_no)
    if trial is None:
        why = f"try it with `oms config policy try {draft.draft_no}`"
        raise ChangeRefused(f"policy draft {draft.draft_no} was never tried on past orders and returns; {why}")
    lines = [f"{name}: {was} → {then}" for name, (was, then) in changed.items()]
    content = {"based_on": now.version, "draft": draft.draft_no, "name": draft.name, "changed": lines, "tried": trial}
    return PolicyQuestion(content, looser_policy(now, wanted), draft.drafted_by)
