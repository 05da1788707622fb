"""A rule set: decision tables in the open JDM format, one for each question that splitting and returns ask."""

import hashlib
import json
from typing import Annotated, Any, Literal

from pydantic import Field

from domain.order import Text
from domain.strict import Strict

FORMAT: Literal[1] = 1
TableName = Literal[
    "dimension_order",
    "custom_split",
    "separation",
    "preferred_warehouse",
    "carriers",
    "tariffs",
    "approval_route",
    "return_policy",
    "freight_back",
]
Document = dict[str, Any]
"""A JDM graph: an input node, one decision table node, an output node."""


class UnableToDecide(ValueError):
    """A table gave no usable answer. The text names the table, its row and what is wrong."""


class RuleSet(Strict):
    """The content of a rule set, as drafted and published. Tables that are left out are the built-in ones."""

    format: Literal[1] = FORMAT
    name: Text
    tables: dict[TableName, Document]
    version: Annotated[int, Field(ge=0)] = 0
    """Given when it is published."""


def content_hash(rule_set: RuleSet) -> str:
    """Hex sha256 of the canonical content, whatever its version: what is approved is what is published."""
    content = rule_set.model_dump(mode="json", exclude={"version"})
    text = json.dumps(content, sort_keys=True, separators=(",", ":"), ensure_ascii=False)
    return hashlib.sha256(text.encode()).hexdigest()
