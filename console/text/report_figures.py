"""Figures of a report as a page shows them: all in words of one language."""

from dataclasses import dataclass

from console.text.catalogue import N_
from console.text.language import PageLanguage
from domain.insight.definitions import MEASURES, MONTH_RULES, Measure, Unit, Wording
from domain.insight.export import LEFT_OUT
from domain.insight.figures import Figure
from domain.insight.health import HealthReport


@dataclass(frozen=True)
class ShownPart:
    name: str
    value: str
    counted: int
    p50: str
    p90: str
    share: int
    """Of the largest part, in percent: the length of its bar."""


@dataclass(frozen=True)
class ShownFigure:
    """One measure as the page shows it, all in words; `met` None: no target, or no value."""

    key: str
    name: str
    formula: str
    month: str
    value: str
    target: str
    met: bool | None
    before: str
    counted: int
    about: int
    coverage: str
    left_out: tuple[tuple[str, int], ...]
    p50: str
    p90: str
    parts: tuple[ShownPart, ...]


def shown(language: PageLanguage, report: HealthReport | None, before: HealthReport | None) -> tuple[ShownFigure, ...]:
    if report is None:
        return ()
    return tuple(_figure(language, measure, report.figure(measure.key), before) for measure in MEASURES)


def _figure(language: PageLanguage, measure: Measure, figure: Figure, before: HealthReport | None) -> ShownFigure:
    def said(value: int | None) -> str:
        return value_text(language, measure.unit, value)

    largest = max([part.value or 0 for part in figure.parts] + [1])
    sign = "≥ " if measure.at_least else "≤ "
    return ShownFigure(
        key=measure.key, name=in_words(language, measure.name), formula=in_words(language, measure.formula),
        month=in_words(language, MONTH_RULES[measure.month]), value=said(figure.value),
        target=sign + said(measure.target) if measure.target is not None else "", met=measure.met(figure.value),
        before=said(before.figure(measure.key).value) if before else "", counted=figure.counted, about=figure.about,
        coverage=value_text(language, Unit.BP, figure.coverage_bp),
        left_out=tuple((in_words(language, LEFT_OUT[why]), count) for why, count in figure.left_out.items()),
        p50=said(figure.p50) if figure.p50 is not None else "", p90=said(figure.p90) if figure.p90 is not None else "",
        parts=tuple(
            ShownPart(p.name, said(p.value), p.counted, said(p.p50) if p.p50 is not None else "",
                said(p.p90) if p.p90 is not None else "", 100 * (p.value or 0) // largest)
            for p in figure.parts
        ),
    )  # fmt: skip


def in_words(language: PageLanguage, said: Wording) -> str:
    return said.zh if language.code == "zh" else said.en


def value_text(language: PageLanguage, unit: Unit, value: int | None) -> str:
    """An integer of a unit as people read it; nothing is a dash."""
    if value is None:
        return "–"
    if unit in (Unit.BP, Unit.PPM):
        digits = 2 if unit is Unit.BP else 4
        return f"{value // 10**digits}.{value % 10**digits:0{digits}} %"
    if unit is Unit.MINUTES:
        return language.say(N_("%(hours)s h"), hours=f"{value // 60}.{value % 60 * 10 // 60}")
    return f"{value // 10}.{value % 10}"
