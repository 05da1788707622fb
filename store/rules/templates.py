"""Ready sets for an empty installation (R76): policy, automations and forms as data, published like any others."""

import json
from functools import cache
from pathlib import Path
from typing import Any

from domain.automation.model import AutomationBook
from domain.order import Id
from domain.policy import Policy
from domain.returns.forms import FormBook, Words
from domain.strict import Strict, of

FOLDER = Path(__file__).resolve().parents[2] / "rules" / "templates"
IDS = ("single-warehouse", "several-warehouses", "cold-chain", "cross-border", "pre-sale")


class ReadySet(Strict):
    """`policy`: settings that differ from the built-in ones. Rule tables are the built-in ones: they keep customs
    modes, temperatures and dangerous goods apart in every set; the split's order is a setting of the policy."""

    id: Id
    name: Words
    text: Words
    policy: dict[str, Any]
    automations: AutomationBook
    forms: FormBook

    def policy_on(self, now: Policy) -> Policy:
        return of(Policy, {**now.model_dump(mode="json"), **self.policy})

    def automations_on(self, now: AutomationBook) -> AutomationBook:
        """What there is stays; those of the set come beside, or in the place of what has their ids."""
        for one in self.automations.automations:
            now = now.with_one(one)
        return now.model_copy(update={"version": 0})

    def forms_on(self, now: FormBook) -> FormBook:
        new = {rule.id: rule for rule in self.forms.rules}
        kept = tuple(new.pop(rule.id, rule) for rule in now.rules)
        return FormBook(rules=(*kept, *new.values()), slips=now.slips)


@cache
def ready_sets() -> tuple[ReadySet, ...]:
    return tuple(of(ReadySet, json.loads((FOLDER / f"{name}.json").read_text(encoding="utf-8"))) for name in IDS)
