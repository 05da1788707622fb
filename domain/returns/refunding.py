"""What goes back: plain sums of frozen unit shares, so that any order of partial returns adds up to what was paid."""

from collections import defaultdict
from collections.abc import Iterable, Sequence

from domain.money import allocate
from domain.policy import FreightBack
from domain.returns.enums import MONEY_GOES_BACK, Fault, ReturnType
from domain.returns.models import Quote, QuoteLine
from domain.shares import Share, UnitShare
from domain.units import UnitRange


class AmountRaised(ValueError):
    """Staff may agree on less than the units' shares, never on more (R48)."""


class UnknownUnits(ValueError):
    """A unit without a frozen share: the order was not paid, or has no such unit."""


def freight_goes_back(policy: FreightBack, kind: ReturnType, fault: Fault) -> bool:
    """Whether the freight shares of the units are refunded with them."""
    if policy == "none":
        return False
    kept = policy == "none_if_buyer_fault" and fault is Fault.BUYER
    return not kept or kind is ReturnType.CANCEL_UNSHIPPED


def quote(
    shares: Iterable[UnitShare],
    units: Sequence[UnitRange],
    *,
    freight: bool = True,
    lowered_minor: int | None = None,
) -> Quote:
    """The refund for exactly these units. Coupons are inside the net shares; they are never paid out.

    A lowered total is spread over lines, goods and freight by the allocator, so that parts still sum. Raises
    `AmountRaised`, `UnknownUnits`.
    """
    lines = _by_line(shares, units, freight=freight)
    full = sum(share.paid_minor for _, share in lines.values())
    if lowered_minor is not None:
        if lowered_minor > full:
            raise AmountRaised(f"{lowered_minor} is more than the {full} that was paid for the units; name less")
        lines = _lower(lines, lowered_minor)
    return Quote(
        goods_minor=sum(share.net_minor for _, share in lines.values()),
        freight_minor=sum(share.freight_minor for _, share in lines.values()),
        total_minor=sum(share.paid_minor for _, share in lines.values()),
        full_minor=full,
        lines=tuple(
            QuoteLine(line_id=line_id, units=n, goods_minor=share.net_minor, freight_minor=share.freight_minor)
            for line_id, (n, share) in lines.items()
        ),
    )


def quote_for(
    kind: ReturnType,
    shares: Iterable[UnitShare],
    units: Sequence[UnitRange],
    *,
    fault: Fault,
    freight_policy: FreightBack,
    lowered_minor: int | None = None,
) -> Quote:
    """`quote` for a case. Exchanges and warranty replacements move goods, not money: their total is zero."""
    if kind not in MONEY_GOES_BACK:
        nothing = quote(shares, units, lowered_minor=0)
        return nothing.model_copy(update={"full_minor": 0})
    freight = freight_goes_back(freight_policy, kind, fault)
    return quote(shares, units, freight=freight, lowered_minor=lowered_minor)


def payout(
    kind: ReturnType,
    shares: Iterable[UnitShare],
    accepted: Sequence[UnitRange],
    *,
    fault: Fault,
    freight_policy: FreightBack,
    lowered_minor: int | None = None,
) -> Quote:
    """The refund for the units that were accepted in the end, which may be fewer than applied for.

    An amount that staff lowered for all of them stays a ceiling. Never more than `quote_for` of all units.
    """
    frozen = tuple(shares)
    full = quote_for(kind, frozen, accepted, fault=fault, freight_policy=freight_policy)
    if lowered_minor is None or lowered_minor >= full.total_minor:
        return full
    return quote_for(kind, shares, accepted, fault=fault, freight_policy=freight_policy, lowered_minor=lowered_minor)


def coupons_come_back(kind: ReturnType, units: Sequence[UnitRange], qty_by_line: dict[str, int]) -> bool:
    """Only when the whole order is cancelled before anything of it has left."""
    if kind is not ReturnType.CANCEL_UNSHIPPED:
        return False
    taken: dict[str, int] = defaultdict(int)
    for r in units:
        taken[r.line_id] += r.units
    return dict(taken) == qty_by_line


def spread(amount_minor: int, left_by_payment: Sequence[tuple[str, int]]) -> tuple[tuple[str, int], ...]:
    """A refund over an order's payments, oldest first, each at most what is left of it.

    `left_by_payment`: key and remaining amount. Raises `AmountRaised` when all of them together cannot bear it.
    """
    parts = []
    rest = amount_minor
    for key, left in left_by_payment:
        part = min(rest, left)
        if part > 0:
            parts.append((key, part))
            rest -= part
    if rest:
        raise AmountRaised(f"a refund of {amount_minor} is {rest} more than the payments of the order have left")
    return tuple(parts)


def _by_line(shares: Iterable[UnitShare], units: Sequence[UnitRange], *, freight: bool) -> dict[str, tuple[int, Share]]:
    by_line: dict[str, list[UnitShare]] = defaultdict(list)
    for share in shares:
        by_line[share.line_id].append(share)
    found: dict[str, tuple[int, Share]] = {}
    for r in units:
        count, total = found.get(r.line_id, (0, Share(0, 0)))
        more = _range_share(by_line[r.line_id], r)
        carried = more.freight_minor if freight else 0
        found[r.line_id] = (
            count + r.units,
            Share(total.net_minor + more.net_minor, total.freight_minor + carried),
        )
    return found


def _range_share(shares: Sequence[UnitShare], wanted: UnitRange) -> Share:
    net = freight = covered = 0
    for run in shares:
        n = min(run.end, wanted.end) - max(run.first_unit, wanted.first_unit)
        if n > 0:
            net, freight, covered = net + n * run.net_minor, freight + n * run.freight_minor, covered + n
    if covered != wanted.units:
        raise UnknownUnits(
            f"line {wanted.line_id}: units {wanted.first_unit} to {wanted.end - 1} have no frozen share each"
        )
    return Share(net, freight)


def _lower(lines: dict[str, tuple[int, Share]], total: int) -> dict[str, tuple[int, Share]]:
    amounts = allocate(total, [share.paid_minor for _, share in lines.values()])
    lowered: dict[str, tuple[int, Share]] = {}
    for (line_id, (n, share)), amount in zip(lines.items(), amounts, strict=True):
        goods, freight = allocate(amount, [share.net_minor, share.freight_minor])
        lowered[line_id] = (n, Share(goods, freight))
    return lowered
