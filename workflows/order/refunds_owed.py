"""What is owed back, and under which refund number: late payments, cancelled parcels, missing units."""

from domain.records import Payment
from domain.refunds.numbers import of_all, of_late_payment, of_parcel, of_parcels
from workflows.durable.carrying import Table
from workflows.order.parcels.parcel import Parcel
from workflows.order.parcels.parcels import Parcels
from workflows.refunds.refunds import Refunds


class RefundsOwed:
    """Refund numbers follow from what they are for, so that the same debt can never be paid under two numbers."""

    CARRIED = Table(_short=dict[str, list[dict[str, int]]], left={"_order_no": "wiring", "_refunds": "wiring"})

    def __init__(self, order_no: str, refunds: Refunds) -> None:
        self._order_no = order_no
        self._refunds = refunds
        self._short: dict[str, list[dict[str, int]]] = {}
        """By child: the units of each shortage so far."""

    async def late(self, payment: Payment, units: dict[str, int]) -> None:
        """All of a payment that came after the order was closed."""
        await self._refunds.give_back(of_late_payment(self._order_no), payment.amount_minor, "late payment", units)

    @property
    def late_is_asked(self) -> bool:
        return self._refunds.asked(of_late_payment(self._order_no))

    async def all(self, amount_minor: int, reason: str, units: dict[str, int]) -> None:
        """All of a paid order that has no parcels."""
        await self._refunds.give_back(of_all(self._order_no), amount_minor, reason, units)

    async def parcels(self, parcels: list[Parcel], reason: str) -> None:
        """One refund for everything cancelled together: a channel takes one refund of an order a minute."""
        units: dict[str, int] = {}
        for parcel in parcels:
            for line, qty in parcel.state.plan.lines.items():
                units[line] = units.get(line, 0) + qty
        amount = sum(p.state.plan.paid_minor for p in parcels)
        children = tuple(p.state.child_no for p in parcels)
        number = of_parcels(self._order_no, _number(parcels[0]))
        await self._refunds.give_back(number, amount, reason[:80], units, children)

    async def units(self, parcels: Parcels, parcel: Parcel, units: dict[str, int], reason: str) -> None:
        """Some units of a parcel, or all of it. A shortage that grows is a debt of its own: the units before those."""
        child = parcel.state.child_no
        if units == dict(parcel.state.plan.lines):
            number, amount = of_parcel(self._order_no, _number(parcel), whole=True), parcels.shares(parcel, units)
        else:
            before = _sum(self._short.setdefault(child, []))
            self._short[child].append(units)
            number = of_parcel(self._order_no, _number(parcel), whole=False, time=len(self._short[child]))
            amount = parcels.shares(parcel, _sum(self._short[child])) - parcels.shares(parcel, before)
        await self._refunds.give_back(number, amount, reason, units, (child,))


def _sum(parts: list[dict[str, int]]) -> dict[str, int]:
    total: dict[str, int] = {}
    for units in parts:
        for line, count in units.items():
            total[line] = total.get(line, 0) + count
    return total


def _number(parcel: Parcel) -> str:
    """`02` of `{order_no}-02`; the hundredth parcel has three digits."""
    return parcel.state.child_no.rpartition("-")[2]
