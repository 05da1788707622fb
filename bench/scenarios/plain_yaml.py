"""YAML without its surprises: no dates, octal or base-60 numbers, no yes/no, no key twice, no aliases."""

import re
from collections.abc import Hashable
from typing import Any

import yaml


class Malformed(Exception):
    """The file, or one block of it, does not say what the format asks for. The text names the place."""


def load(text: str) -> Any:
    """One YAML (or JSON) document as plain values. Raises `Malformed`, or `yaml.YAMLError` for what is no YAML."""
    try:
        return yaml.load(text, Loader=_Loader)  # noqa: S506 (a SafeLoader)
    except RecursionError:
        raise Malformed("nested too deeply") from None


class _Loader(yaml.SafeLoader):
    yaml_implicit_resolvers: dict[str, list[tuple[str, re.Pattern[str]]]] = {}  # noqa: RUF012 (PyYAML's attribute)

    def compose_node(self, parent: yaml.Node | None, index: int) -> yaml.Node | None:
        if self.check_event(yaml.AliasEvent):
            raise Malformed("aliases are not part of the format")
        return super().compose_node(parent, index)

    def construct_mapping(self, node: yaml.MappingNode, deep: bool = False) -> dict[Hashable, Any]:
        seen: set[str] = set()
        for key, _ in node.value:
            if not isinstance(key, yaml.ScalarNode):
                raise Malformed(f"line {key.start_mark.line + 1}: a key is not a plain text")
            if key.value in seen:
                raise Malformed(f"line {key.start_mark.line + 1}: the key {key.value} stands twice")
            seen.add(key.value)
        return super().construct_mapping(node, deep=deep)


# An unquoted 2026-03-02 or 010 stays the text it is; a block that wants a number says so.
for _tag, _pattern, _first in (
    ("null", r"^(?:~|null|)$", ["~", "n", ""]),
    ("bool", r"^(?:true|false)$", list("tf")),
    ("int", r"^-?(?:0|[1-9][0-9]{0,18})$", list("-0123456789")),
    ("float", r"^-?(?:0|[1-9][0-9]*)\.[0-9]+$", list("-0123456789")),
):
    _Loader.add_implicit_resolver(f"tag:yaml.org,2002:{_tag}", re.compile(_pattern), _first)
