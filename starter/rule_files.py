"""Rule sets as files: a workbook, one JSON document, or a folder with a JDM document a table."""

import json
from pathlib import Path
from typing import Any

from pydantic import ValidationError

from domain.rules.sets import RuleSet
from domain.rules.tables import SHAPES
from domain.strict import UnableToRead, faults, load, of
from starter.importer.rule_workbook import read_workbook, write_workbook
from starter.importer.table import UnableToImport

MAX_BYTES = 4_000_000


def read_rules(path: Path, name: str | None = None) -> RuleSet:
    """The tables that the file brings. `name`: for files that have none. Raises `UnableToImport`."""
    value: Any
    if path.is_dir():
        files = {table: path / f"{table}.json" for table in SHAPES}
        tables = {table: _json(file) for table, file in files.items() if file.exists()}
        if not tables:
            raise UnableToImport(f"{path} holds none of {', '.join(f.name for f in files.values())}.")
        value = {"name": path.resolve().name, "tables": tables}
    elif path.suffix.lower() == ".xlsx":
        value = {"name": path.stem, "tables": read_workbook(path)}
    else:
        value = _json(path)
    if name is not None and isinstance(value, dict):
        value = {**value, "name": name}
    try:
        return of(RuleSet, value)
    except ValidationError as error:
        text = "; ".join(faults(error).splitlines()[:5])
        raise UnableToImport(f"{path} is no rule set: {text}.") from None


def write_rules(path: Path, rule_set: RuleSet) -> None:
    """What `read_rules` reads back; the ending says which of the three. Raises `OSError`."""
    if path.suffix.lower() == ".xlsx":
        write_workbook(path, rule_set)
    elif path.suffix.lower() == ".json":
        path.write_text(_text(rule_set.model_dump(mode="json", exclude={"version"})), encoding="utf-8")
    else:
        path.mkdir(parents=True)
        for name, document in rule_set.tables.items():
            (path / f"{name}.json").write_text(_text(document), encoding="utf-8")


def _json(path: Path) -> Any:
    try:
        with path.open("rb") as file:
            return load(file.read(MAX_BYTES + 1), max_bytes=MAX_BYTES)
    except OSError as error:
        raise UnableToImport(f"{path} cannot be read: {error.strerror}.") from None
    except UnableToRead as error:
        raise UnableToImport(f"{path} is no rule set: {error}.") from None


def _text(value: object) -> str:
    return json.dumps(value, ensure_ascii=False, indent=2) + "\n"
