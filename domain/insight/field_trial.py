"""A field of another system tried on past orders before it counts: what it says about those that came back (R63)."""

from collections.abc import Callable, Sequence

from domain.insight.evaluation import auc
from domain.insight.figures import ratio
from domain.insight.risk import MappedField, RiskFeatures, RiskTable
from domain.strict import Strict


class TriedValue(Strict):
    """Orders whose field had such a value. `share_bp`: of them that came back."""

    name: str
    counted: int
    came_back: int

    @property
    def share_bp(self) -> int | None:
        return ratio(self.came_back, self.counted, 10_000)


class FieldTrial(Strict):
    """`told`: orders that have the field at all; the others count as 0. `auc_pct`: how often one that came back has
    more of it than one that did not, 50 is chance; None: nothing came back, or all did. `looked_at`: orders that points
    would have shown to somebody, before and with the field."""

    field: str
    orders: int
    told: int
    values: tuple[TriedValue, ...]
    auc_pct: int | None
    looked_at: tuple[int, int]
    hits: tuple[int, int]
    """Of those that would have been looked at, how many came back."""

    @property
    def coverage_bp(self) -> int | None:
        return ratio(self.told, self.orders, 10_000)


def tried(
    field: MappedField, table: RiskTable, features: Sequence[RiskFeatures], came_back: Sequence[bool]
) -> FieldTrial:
    counts = [each.value(field.field) for each in features]
    before, after = _looked_at(table, features), _looked_at(with_field(table, field), features)
    returned = sum(came_back)
    parts: tuple[tuple[str, Callable[[int], bool]], ...] = (
        ("0", lambda n: n == 0), ("1", lambda n: n == 1), ("2-4", lambda n: 2 <= n <= 4), ("5+", lambda n: n > 4),
    )  # fmt: skip
    return FieldTrial(
        field=field.field,
        orders=len(counts),
        told=sum(field.field in each.other for each in features),
        values=tuple(_value(name, has, counts, came_back) for name, has in parts),
        auc_pct=round(100 * auc(counts, came_back)) if 0 < returned < len(counts) else None,
        looked_at=(sum(before), sum(after)),
        hits=(_both(before, came_back), _both(after, came_back)),
    )


def with_field(table: RiskTable, field: MappedField) -> RiskTable:
    """The field in the place of what was mapped under its name. Raises pydantic's `ValidationError` beyond the most."""
    kept = tuple(one for one in table.fields if one.field != field.field)
    return RiskTable.model_validate(table.model_dump() | {"fields": (*kept, field)})


def _value(name: str, has: Callable[[int], bool], counts: Sequence[int], came_back: Sequence[bool]) -> TriedValue:
    marks = [back for count, back in zip(counts, came_back, strict=True) if has(count)]
    return TriedValue(name=name, counted=len(marks), came_back=sum(marks))


def _looked_at(table: RiskTable, features: Sequence[RiskFeatures]) -> list[bool]:
    return [table.points(each) >= table.threshold for each in features]


def _both(looked_at: Sequence[bool], came_back: Sequence[bool]) -> int:
    return sum(a and b for a, b in zip(looked_at, came_back, strict=True))
