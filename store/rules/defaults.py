"""The rule set that counts as long as nobody has published one: the tables of the room `rules/`."""

import json
from functools import cache
from pathlib import Path
from typing import get_args

from domain.rules.sets import RuleSet, TableName

FOLDER = Path(__file__).resolve().parents[2] / "rules" / "default"
BUILT_IN = "built-in"


@cache
def built_in() -> RuleSet:
    """Version 0. Splits exactly as the policy says, keeps customs modes, temperatures and dangerous goods apart."""
    tables = {name: json.loads((FOLDER / f"{name}.json").read_text(encoding="utf-8")) for name in get_args(TableName)}
    return RuleSet(name=BUILT_IN, tables=tables, version=0)


def complete(rule_set: RuleSet) -> RuleSet:
    """With the built-in ones for tables that there were none of when it was published: they do what was done then."""
    return rule_set.model_copy(update={"tables": {**built_in().tables, **rule_set.tables}})
