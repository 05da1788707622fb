"""A mapping file (YAML or JSON) to a `SourceMapping`, or every fault with its line."""

from pathlib import Path
from typing import Any

import yaml
from pydantic import ValidationError

from domain.strict import of
from providers.generic.mapping import PROBLEMS, SourceMapping

MAX_BYTES = 200_000
_PLAIN_TAGS = ("str", "int", "float", "bool", "null", "map", "seq", "timestamp", "merge")


class UnableToMap(ValueError):
    """The file cannot be used. One fault a line: `file:line: place: what is wrong`."""


def load_mapping(path: Path) -> SourceMapping:
    """Read and check a mapping file. Raises `UnableToMap`."""
    try:
        raw = path.read_bytes()
    except OSError as e:
        raise UnableToMap(f"{path}: the mapping cannot be read: {e.strerror}") from None
    return read_mapping(raw, str(path))


def read_mapping(raw: bytes, name: str) -> SourceMapping:
    """The same for a text that is already here; `name` is for error texts."""
    if len(raw) > MAX_BYTES:
        raise UnableToMap(f"{name}: the mapping has {len(raw)} bytes; at most {MAX_BYTES} are read")
    root, value = _parsed(raw, name)
    try:
        return of(SourceMapping, value)
    except ValidationError as e:
        raise UnableToMap("\n".join(f"{name}:{_line(root, place)}: {text}" for place, text in _faults(e))) from None


def _parsed(raw: bytes, name: str) -> tuple[yaml.Node, Any]:
    try:
        loader = _Plain(raw.decode("utf-8"))
        try:
            root = loader.get_single_node()
            if root is None:
                raise UnableToMap(f"{name}: the mapping is empty")
            return root, loader.construct_document(root)
        finally:
            loader.dispose()
    except yaml.MarkedYAMLError as e:
        line = e.problem_mark.line + 1 if e.problem_mark else 1
        raise UnableToMap(f"{name}:{line}: {' '.join((e.problem or 'not YAML').split())}") from None
    except (yaml.YAMLError, ValueError, RecursionError) as e:
        if isinstance(e, UnableToMap):
            raise
        raise UnableToMap(f"{name}: the mapping is not YAML in UTF-8: {' '.join(str(e).split())[:200]}") from None


class _Plain(yaml.SafeLoader):
    """Plain data only: names stay text as written, each stands once, nothing refers to something else in the file."""

    def compose_node(self, parent: yaml.Node | None, index: Any) -> yaml.Node | None:
        if self.check_event(yaml.AliasEvent):
            mark = self.get_mark()
            raise yaml.composer.ComposerError(None, None, "aliases (*name) are not read; write it out", mark)
        node = super().compose_node(parent, index)
        if node is not None and node.tag.removeprefix("tag:yaml.org,2002:") not in _PLAIN_TAGS:
            raise yaml.composer.ComposerError(None, None, f"the tag {node.tag} is not read", node.start_mark)
        return node

    def construct_mapping(self, node: yaml.MappingNode, deep: bool = False) -> dict[Any, Any]:
        made: dict[Any, Any] = {}
        for key, value in node.value:
            if not isinstance(key, yaml.ScalarNode):
                raise yaml.constructor.ConstructorError(None, None, "a name must be one word", key.start_mark)
            if key.value in made:
                raise yaml.constructor.ConstructorError(
                    None, None, f"{key.value!r} stands twice in one block", key.start_mark
                )
            made[key.value] = self.construct_object(value, deep=True)
        return made

    def as_written(self, node: yaml.Node) -> str:
        return str(node.value)


# A date stays the text it is; a mapping has no use for date objects.
_Plain.add_constructor("tag:yaml.org,2002:timestamp", _Plain.as_written)


def _faults(error: ValidationError) -> list[tuple[tuple[str | int, ...], str]]:
    found: list[tuple[tuple[str | int, ...], str]] = []
    for item in error.errors(include_input=False):
        if item["type"] == PROBLEMS:
            found += [(place, f"{_dotted(place)}: {text}") for place, text in item["ctx"]["problems"]]
        else:
            place = item["loc"]
            found.append((place, f"{_dotted(place)}: {item['msg'].removeprefix('Value error, ')}"))
    return found


def _dotted(place: tuple[str | int, ...]) -> str:
    return ".".join(str(step) for step in place) or "mapping"


def _line(node: yaml.Node, place: tuple[str | int, ...]) -> int:
    """The line of `place`, or of the innermost block around it that exists."""
    line = node.start_mark.line + 1
    for step in place:
        if isinstance(node, yaml.MappingNode):
            found = next(((key, value) for key, value in node.value if key.value == str(step)), None)
            if found is None:
                return line
            key, node = found
            line = key.start_mark.line + 1
        elif isinstance(node, yaml.SequenceNode) and str(step).isdigit() and int(step) < len(node.value):
            node = node.value[int(step)]
            line = node.start_mark.line + 1
        else:
            return line
    return line
