"""A figure of a report, with what it means in both languages."""

from pydantic import BaseModel

from domain.insight.definitions import MONTH_RULES, Measure, Unit, Wording
from domain.insight.figures import Figure, FigurePart


class InBothLanguages(BaseModel):
    zh: str
    en: str


class ReportedFigure(BaseModel):
    """`value` in the `unit`, of `counted` cases of which `part` count; `left_out`: how many lacked what it needs, by
    reason. `met`: null without a target or a value."""

    measure: str
    name: InBothLanguages
    formula: InBothLanguages
    excludes: InBothLanguages
    month_rule: InBothLanguages
    unit: Unit
    target: int | None
    met: bool | None
    value: int | None
    part: int | None
    counted: int
    coverage_bp: int | None
    left_out: dict[str, int]
    p50: int | None
    p90: int | None
    parts: list[FigurePart]


def reported(measure: Measure, found: Figure) -> ReportedFigure:
    return ReportedFigure(
        measure=measure.key, name=_both(measure.name), formula=_both(measure.formula), excludes=_both(measure.left_out),
        month_rule=_both(MONTH_RULES[measure.month]), unit=measure.unit, target=measure.target,
        met=measure.met(found.value), value=found.value, part=found.part, counted=found.counted,
        coverage_bp=found.coverage_bp, left_out=found.left_out, p50=found.p50, p90=found.p90, parts=list(found.parts),
    )  # fmt: skip


def _both(said: Wording) -> InBothLanguages:
    return InBothLanguages(zh=said.zh, en=said.en)
