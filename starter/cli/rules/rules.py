"""`oms rules`: the decision tables that splitting asks: look at them, take them out, draft them, look at drafts."""

from collections.abc import Sequence
from pathlib import Path
from typing import Annotated

import typer

from domain.access.desk import DraftRules
from domain.order import Text
from domain.rules.changes import RowChange, changes
from domain.rules.check import InvalidRuleSet, check
from domain.rules.findings import Finding, errors
from domain.rules.reading import read_table
from domain.rules.route_checks import looser_findings
from domain.rules.sets import RuleSet
from domain.rules.tables import SHAPES, Shape
from starter.cli import output
from starter.cli.connections import database
from starter.cli.desk import at_desk
from starter.cli.errors import BadInput, CommandFailed, complain, fail, run
from starter.cli.options import By, Json, Limit, Proof, actor
from starter.importer.table import UnableToImport
from starter.rule_files import read_rules, write_rules
from starter.text.marking import N_
from store.rules.rule_sets import Draft, PublishedRules, RuleSetStore

Number = Annotated[int, typer.Argument(min=1, max=2**31 - 1, metavar="DRAFT", help="Number of the draft.")]
Version = Annotated[
    int | None,
    typer.Argument(min=0, max=2**31 - 1, help="A published version.", show_default="what counts now"),
]
OfDraft = Annotated[int | None, typer.Option("--draft", min=1, max=2**31 - 1, help="This draft instead of a version.")]

MOST_BYTES = 1_500_000
"""What one message to the worker may have."""


def list_rules(
    drafts: Annotated[bool, typer.Option("--drafts", help="Drafts instead of versions.")] = False,
    limit: Limit = 20,
    json: Json = False,
) -> None:
    """List published versions, or drafts. Newest first.

    Example: oms rules list --drafts
    """
    if drafts:
        _list_drafts(limit, json)
        return
    found = run(_versions(limit))
    if json:
        output.as_json(found)
        return
    columns = ("version", "name", "drafted by", "published by", "in force since", "remark")
    rows = [(v.version, v.rule_set.name, v.drafted_by, v.published_by, v.published_at, v.remark) for v in found]
    output.table("Rule sets", columns, rows, empty="the built-in tables count")


def _list_drafts(limit: int, json: bool) -> None:
    found = run(_drafts(limit))
    if json:
        output.as_json(found)
        return
    rows = [(d.draft_no, d.rule_set.name, d.drafted_by, d.drafted_at, d.based_on, _state(d)) for d in found]
    output.table("Rule drafts", ("draft", "name", "by", "drafted", "on version", "state"), rows)


async def _drafts(limit: int) -> tuple[Draft, ...]:
    async with database() as pool:
        return await RuleSetStore(pool).drafts(limit)


async def _versions(limit: int) -> tuple[PublishedRules, ...]:
    async with database() as pool:
        return await RuleSetStore(pool).history(limit)


def show(
    version: Version = None,
    draft: OfDraft = None,
    table: Annotated[str | None, typer.Option("--table", help="Only this table.")] = None,
    json: Json = False,
) -> None:
    """Show the tables of a version or draft, a row a rule.

    Example: oms rules show 3 --table custom_split
    """
    rule_set = run(_one(version, draft))
    if table is not None and table not in SHAPES:
        fail(BadInput(f"there is no table {table!r}; tables are {', '.join(SHAPES)}."))
    if json:
        output.as_json(rule_set)
        return
    output.line(f"{rule_set.name}, version {rule_set.version}" if draft is None else f"{rule_set.name}, draft {draft}")
    for name, shape in SHAPES.items():
        if table in (None, name):
            _show_table(shape, rule_set)


def _show_table(shape: Shape, rule_set: RuleSet) -> None:
    found, _ = read_table(shape, rule_set.tables[shape.name])
    if found is None:
        return
    used = [c for c in found.inputs if any(row.cells[c.id] for row in found.rows)]
    columns = ["rule", *(c.field or N_("condition") for c in used), *(f"→ {c.field}" for c in found.outputs), "note"]
    rows = [(row.rule_id, *(row.cells[c.id] for c in (*used, *found.outputs)), row.note) for row in found.rows]
    output.table(f"{shape.name} {shape.title}", columns, rows, empty="no rows")


async def _one(version: int | None, draft: int | None) -> RuleSet:
    async with database() as pool:
        store = RuleSetStore(pool)
        if draft is not None:
            return (await store.draft_of(draft)).rule_set
        return await store.current_set() if version is None else (await store.version(version)).rule_set


def export(
    file: Annotated[Path, typer.Argument(help=".xlsx, .json, or a new folder for one JDM document a table.")],
    version: Annotated[
        int | None, typer.Option("--version", min=0, help="Instead of what counts now.", show_default="current")
    ] = None,
    draft: OfDraft = None,
    json: Json = False,
) -> None:
    """Write a rule set into a file that can be changed and drafted again.

    Example: oms rules export rules.xlsx
    """
    run(_export(file, version, draft))
    if json:
        output.as_json({"file": str(file)})
    else:
        output.line(f"{file} is written; change it and draft it with `oms rules draft {file}`.")


async def _export(file: Path, version: int | None, draft: int | None) -> None:
    _not_there(file)
    rule_set = await _one(version, draft)
    try:
        write_rules(file, rule_set)
    except OSError as e:
        raise CommandFailed(f"{file} cannot be written: {e.strerror}.") from None


def _not_there(file: Path) -> None:
    if file.exists():
        raise BadInput(f"{file} exists already; remove it or name another one.")


def draft_file(
    file: Annotated[Path, typer.Argument(help=".xlsx, .json, or a folder with JDM documents (`oms rules export`).")],
    name: Annotated[str | None, typer.Option("--name", help="What to call it.", show_default="the file's")] = None,
    by: By = None,
    proof: Proof = None,
    json: Json = False,
) -> None:
    """Keep tables as a draft. Every cell is compiled; what is wrong is told, and nothing is kept (exit code 2).

    Example: oms rules draft examples/rules.json --by u-editor
    """
    try:
        kept = run(_draft(file, name, by, proof))
    except InvalidRuleSet as e:
        _refuse(e.findings, json)
        return
    if json:
        output.as_json(kept)
        return
    output.line(f"Draft {kept.draft_no} ({kept.rule_set.name}) is kept, on version {kept.based_on}.")
    show_findings(kept.warnings, "Worth a second look")
    output.line(f"Try it on past orders: `oms rules simulate {kept.draft_no}`.")


async def _draft(file: Path, name: Text | None, by: str | None, proof: str | None) -> Draft:
    who = actor(by)
    try:
        given = read_rules(file, name)
    except UnableToImport as e:
        raise BadInput(str(e)) from None
    return await drafted(DraftRules(rules=given), who, proof)


async def drafted(work: DraftRules, who: str, proof: str | None) -> Draft:
    """Kept in the name of who has been proven. Raises `InvalidRuleSet`, `CommandRefused`, `NotDone`."""
    if len(work.model_dump_json()) > MOST_BYTES:
        raise BadInput(f"the tables have more than {MOST_BYTES} bytes: nothing was kept; make them smaller.")
    kept = await at_desk(work, who, proof)
    async with database() as pool:
        return await RuleSetStore(pool).draft_of(kept["draft_no"])


def validate(
    draft: Annotated[
        int | None, typer.Argument(min=1, max=2**31 - 1, metavar="[DRAFT]", help="Number of a draft.")
    ] = None,
    file: Annotated[Path | None, typer.Option("--file", help="A file that is not drafted yet.")] = None,
    json: Json = False,
) -> None:
    """Tell what is wrong or odd: cells, columns, rows that never count, rows that overlap. Keeps nothing.

    Exit code 0 when it could be published, 2 when it could not be saved.

    Example: oms rules validate --file rules.xlsx
    """
    if (draft is None) == (file is None):
        fail(BadInput("say what to look at: the number of a draft, or --file."))
    found = run(_validate(draft, file))
    if errors(found):
        _refuse(found, json)
    elif json:
        output.as_json(found)
    else:
        show_findings(found, "Worth a second look")


async def _validate(draft: int | None, file: Path | None) -> tuple[Finding, ...]:
    async with database() as pool:
        store = RuleSetStore(pool)
        if draft is not None:
            drafted = (await store.draft_of(draft)).rule_set
            return _with_looser(await store.current_set(), drafted)
        assert file is not None
        try:
            given = read_rules(file)
        except UnableToImport as e:
            raise BadInput(str(e)) from None
        current = await store.current_set()
        return _with_looser(current, given.model_copy(update={"tables": {**current.tables, **given.tables}}))


def _with_looser(counts: RuleSet, wanted: RuleSet) -> tuple[Finding, ...]:
    """A table that holds no approvals tells of none, whatever its faults."""
    found = check(wanted)
    return found if errors(found) else found + looser_findings(counts, wanted)


def diff(
    old: Annotated[int | None, typer.Argument(min=0, help="The earlier version.", show_default="current")] = None,
    new: Annotated[int | None, typer.Argument(min=0, help="The later version.", show_default="current")] = None,
    draft: OfDraft = None,
    json: Json = False,
) -> None:
    """Show what differs between two versions, or between what counts now and a draft, row by row.

    Example: oms rules diff --draft 3
    """
    if draft is None and old is None:
        fail(BadInput("say what to compare: one or two versions, or --draft."))
    found = run(_diff(old, new, draft))
    if json:
        output.as_json(found)
    else:
        rows = [(c.table, c.what, c.row, c.before, c.after) for c in found]
        output.table("Differences", ("table", "", "row", "before", "after"), rows)


async def _diff(old: int | None, new: int | None, draft: int | None) -> tuple[RowChange, ...]:
    before = await _one(old, None)
    return changes(before, await _one(new, draft))


def show_findings(findings: Sequence[Finding], title: str) -> None:
    rows = [(f.table, f.row, f.column, f.text, f.advice) for f in findings]
    output.table(title, ("table", "row", "column", "what", "what to do"), rows, empty="nothing")


def _refuse(findings: Sequence[Finding], json: bool) -> None:
    if json:
        output.as_json(findings)
    else:
        show_findings(findings, "Refused")
    complain(f"{len(errors(findings))} faults; nothing was kept. Correct them and draft the file again.")
    raise typer.Exit(BadInput.code)


def _state(draft: Draft) -> str:
    if draft.version is not None:
        return N_(f"published as {draft.version}")
    return N_(f"brings {draft.copies} back") if draft.copies is not None else N_("draft")
