"""What an approval table says, asked of it case by case: what nobody may publish, and what is looser than now.

Asked are every kind, every risk and both sides of every number that its cells name. A condition can be written past
these; whatever a table answers, a case is never decided by fewer than `domain.returns.approval_route.at_least` lets.
"""

import re
from collections.abc import Iterable, Iterator, Mapping, Sequence
from itertools import product
from typing import Any

from domain.returns.approval_route import RouteInput, at_least, route
from domain.returns.enums import Level, ReturnType, Risk
from domain.rules.engine import engine_of
from domain.rules.findings import Finding
from domain.rules.reading import read_table
from domain.rules.sets import RuleSet, TableName, UnableToDecide
from domain.rules.tables import SHAPES

SMALL_MINOR = 10_000
"""The limit that the cases are asked with: the policy's default."""
MOST_NUMBERS = 100
MOST_TOLD = 10
_TABLE: TableName = "approval_route"
_NUMBER = re.compile(r"(?<![A-Za-z_0-9])[0-9][0-9_]*")


def unsafe_answers(rule_set: RuleSet) -> Iterator[Finding]:
    """Errors: money that nobody decides about, or that one role asks for and decides alone. A row each."""
    told: set[str] = set()
    cases = _cases(rule_set)
    for given, (levels, row) in zip(cases, _answers(rule_set, cases), strict=True):
        if levels == at_least(levels, given) or row in told:
            continue
        told.add(row)
        yield Finding(severity="error", table=_TABLE, row=row, text=_why(levels, given), advice=_ADVICE)


_ADVICE = 'write ["CS_SUPERVISOR", "FINANCE"], or narrow the row to small amounts (amount_minor <= small_max_minor)'


def _why(levels: Sequence[Level], given: RouteInput) -> str:
    if Level.SYSTEM in levels:
        return (
            f"lets {given.type} of {_yuan(given.amount_minor)} through with nobody asked: SYSTEM is for rows with "
            "exempt = true or of cancel_unshipped only / 未经任何人审批：SYSTEM 只能用于 exempt = true 或未发货取消的行"
        )
    return (
        f"lets {levels[0]} alone decide {given.type} of {_yuan(given.amount_minor)}, above the policy's limit for one: "
        "who asks and who decides would be one role / 超过小额上限却只由一个角色申请并决定"
    )


def looser_routes(before: RuleSet, after: RuleSet) -> tuple[str, ...]:
    """What fewer people have to agree to than now, in words, Chinese and English, at most `MOST_TOLD`."""
    cases = _cases(before, after)
    found: dict[tuple[str, ...], list[RouteInput]] = {}
    pairs = zip(_answers(before, cases), _answers(after, cases), strict=True)
    for given, ((was, _), (now, _)) in zip(cases, pairs, strict=True):
        gone = [level for level in was if level not in now and level is not Level.SYSTEM]
        if gone:
            found.setdefault((str(given.type), *map(str, gone)), []).append(given)
        elif now == (Level.SYSTEM,) != was:
            found.setdefault((str(given.type), "everybody"), []).append(given)
    lines = [_looser(kind, gone, given) for (kind, *gone), given in found.items()]
    more = [f"… 另有 {len(lines) - MOST_TOLD} 项 / and {len(lines) - MOST_TOLD} more"] if len(lines) > MOST_TOLD else []
    return tuple(lines[:MOST_TOLD] + more)


def looser_findings(before: RuleSet, after: RuleSet) -> tuple[Finding, ...]:
    """The same as warnings of a draft."""
    advice = "finance has to approve it / 须财务审批"
    return tuple(Finding(severity="warning", table=_TABLE, text=t, advice=advice) for t in looser_routes(before, after))


def _looser(kind: str, gone: Sequence[str], given: Sequence[RouteInput]) -> str:
    amounts = sorted({g.amount_minor for g in given})
    span = f"{_yuan(amounts[0])}–{_yuan(amounts[-1])}" if len(amounts) > 1 else _yuan(amounts[0])
    risks = sorted({str(g.risk) for g in given})
    owed = "，仅系统应退" if all(g.exempt for g in given) else ""
    roles = ", ".join(gone)
    return (
        f"放宽：{kind} {span}（风险 {'/'.join(risks)}{owed}）不再经 {roles} / "
        f"looser: {roles} no longer asked about {kind} of {span} (risk {'/'.join(risks)}{', exempt' if owed else ''})"
    )


def _answers(rule_set: RuleSet, cases: Sequence[RouteInput]) -> Iterator[tuple[tuple[Level, ...], str]]:
    """What counts for each case, and the row that says so; the built-in matrix where none does."""
    try:
        said = engine_of(rule_set).routes([given.model_dump(mode="json") for given in cases])
    except UnableToDecide:
        said = [None] * len(cases)
    for given, answer in zip(cases, said, strict=True):
        yield (route(given), "built-in") if answer is None else (tuple(map(Level, answer[0])), answer[1])


def _cases(*rule_sets: RuleSet) -> tuple[RouteInput, ...]:
    numbers = sorted({n for rule_set in rule_sets for n in _numbers(rule_set)})[:MOST_NUMBERS]
    amounts = {0, 1, SMALL_MINOR, SMALL_MINOR + 1, 10**12}
    amounts |= {amount for n in numbers for by in (1, SMALL_MINOR) for amount in (n * by - 1, n * by, n * by + 1)}
    usable = sorted(amount for amount in amounts if 0 <= amount <= 10**15)
    return tuple(
        RouteInput(amount_minor=amount, small_max_minor=SMALL_MINOR, type=kind, risk=risk, exempt=exempt)
        for amount, kind, risk, exempt in product(usable, ReturnType, Risk, (False, True))
    )


def _numbers(rule_set: RuleSet) -> Iterator[int]:
    document: Mapping[str, Any] | None = rule_set.tables.get(_TABLE)
    table, _ = read_table(SHAPES[_TABLE], document) if document is not None else (None, ())
    if table is None:
        return
    cells: Iterable[str] = (row.cells[column.id] for row in table.rows for column in table.inputs)
    for cell in cells:
        yield from (int(found.replace("_", "")[:15]) for found in _NUMBER.findall(cell))


def _yuan(minor: int) -> str:
    return f"{minor // 100:,}.{minor % 100:02}"
