"""Who carries a child: the cheapest configured tariff that all its lines allow (R37). No solver: a list, sorted."""

from collections.abc import Iterable, Sequence

from domain.fulfilment.tariffs import FreightQuote, ParcelWeight, Tariff, quotes, serving
from domain.records import ChildPlan, Priced, PricedLine
from domain.rules.decision import LineDecision, RuleDecision

NOT_SERVED = 10**9
"""In the comparison of allocations: what a parcel costs that no tariff serves, where others have one."""
Region = tuple[str, str]
"""Province and city."""


def allowed(lines: Iterable[LineDecision]) -> tuple[str, ...] | None:
    """Carriers that every line allows, in the order of the first line that names some; None: all."""
    named = [line.carriers for line in lines if line.carriers is not None]
    if not named:
        return None
    return tuple(carrier for carrier in named[0] if all(carrier in other for other in named[1:]))


def offers(
    tariffs: Sequence[Tariff], parcel: ParcelWeight, carriers: tuple[str, ...] | None
) -> tuple[FreightQuote, ...]:
    """What the allowed carriers ask, best first: the cheaper, then the one that the rule names first, then by code."""
    found = [q for q in quotes(tariffs, parcel) if carriers is None or q.carrier in carriers]
    return tuple(sorted(found, key=lambda q: (q.fee_minor, carriers.index(q.carrier) if carriers else 0, q.carrier)))


def parcel(child: ChildPlan, priced: Priced, to: Region) -> ParcelWeight:
    lines = [line for line in priced.lines if line.line_id in child.lines]
    return ParcelWeight(
        warehouse=child.warehouse,
        logistics=lines[0].tags.logistics,
        province=to[0],
        city=to[1],
        weight_g=sum(line.weight_g * child.lines[line.line_id] for line in lines),
    )


def carried(child: ChildPlan, priced: Priced, decision: RuleDecision, to: Region) -> ChildPlan:
    """The child with its carrier. Without a tariff that fits, the carrier system chooses, as it would without rules."""
    if not decision.tariffs:
        return child
    carriers = allowed(line for line in decision.lines if line.line_id in child.lines)
    best = next(iter(offers(decision.tariffs, parcel(child, priced, to), carriers)), None)
    if best is None:
        return child
    return child.model_copy(update={"carrier": best.carrier, "shipping_cost_minor": best.fee_minor})


class Lanes:
    """The kinds of parcels of one order as sourcing knows them, and what a parcel of each costs."""

    def __init__(self, priced: Priced, decision: RuleDecision, province: str, city: str) -> None:
        self._decided = {line.line_id: line for line in decision.lines}
        self._tariffs = decision.tariffs
        self._to = (province, city)
        self._logistics: dict[str, str] = {}
        lines: dict[str, list[LineDecision]] = {}
        for line in priced.lines:
            key = self.of(line)
            self._logistics[key] = line.tags.logistics
            if line.line_id in self._decided:
                lines.setdefault(key, []).append(self._decided[line.line_id])
        self._allowed = {key: allowed(of_key) for key, of_key in lines.items()}
        self._rows: dict[tuple[str, str], tuple[Tariff, ...]] = {}

    def of(self, line: PricedLine) -> str:
        """Lines of different lanes never share a parcel, wherever they come from."""
        decided = self._decided.get(line.line_id)
        group, lane = (decided.group or "", decided.lane()) if decided else ("", ())
        parts = (line.tags.customs, line.tags.supplier, line.tags.logistics, group, *(f"{k}={v}" for k, v in lane))
        return "\x1f".join(parts)

    def cost(self, warehouse: str, key: str, weight_g: int) -> int:
        """Minor units of the cheapest carrier that all lines of the lane allow."""
        if not self._tariffs:
            return 0
        rows = self._rows.get((warehouse, key))
        if rows is None:
            rows = self._rows[warehouse, key] = self._serving(warehouse, key)
        return min((row.fee(weight_g) for row in rows), default=NOT_SERVED)

    def _serving(self, warehouse: str, key: str) -> tuple[Tariff, ...]:
        province, city = self._to
        place = ParcelWeight(
            warehouse=warehouse, logistics=self._logistics[key], province=province, city=city, weight_g=0
        )
        carriers = self._allowed.get(key)
        return tuple(t for t in serving(self._tariffs, place) if carriers is None or t.carrier in carriers)
