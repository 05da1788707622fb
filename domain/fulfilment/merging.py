"""Shipping children together (R35): an exception that one person asks for, another approves, and these rules allow."""

from collections.abc import Iterable, Iterator, Sequence
from dataclasses import dataclass
from enum import StrEnum
from itertools import chain

from domain.states import ChildStatus

BEFORE_PICKING = frozenset(
    {
        ChildStatus.CREATED,
        ChildStatus.RISK_HOLD,
        ChildStatus.BACKORDER,
        ChildStatus.CUSTOMS_HOLD,
        ChildStatus.RELEASED,
    }
)
"""Nobody has touched the goods. RELEASED: the warehouse has the paper; it is taken back first."""


class MergeCode(StrEnum):
    """In the order in which they are looked for; the first that holds is told."""

    OK = "OK"
    REMARK_REQUIRED = "REMARK_REQUIRED"
    SELF_APPROVAL = "SELF_APPROVAL"
    UNKNOWN_CHILD = "UNKNOWN_CHILD"
    NOTHING_TO_MERGE = "NOTHING_TO_MERGE"
    CUSTOMS_MODE_CONFLICT = "CUSTOMS_MODE_CONFLICT"
    LOGISTICS_CONFLICT = "LOGISTICS_CONFLICT"
    ALREADY_IN_WAREHOUSE = "ALREADY_IN_WAREHOUSE"
    ADDRESS_CONFLICT = "ADDRESS_CONFLICT"
    SUPPLIER_CONFLICT = "SUPPLIER_CONFLICT"
    WAREHOUSE_CONFLICT = "WAREHOUSE_CONFLICT"
    STOCK_MISSING = "STOCK_MISSING"


@dataclass(frozen=True)
class Mergeable:
    """A child as these rules look at it. Sets, since a child may hold several lines; empty: not known, fits any."""

    child_no: str
    status: ChildStatus
    address: str
    customs: frozenset[str]
    logistics: frozenset[str]
    suppliers: frozenset[str] = frozenset()
    warehouse: str = ""


@dataclass(frozen=True)
class MergeVerdict:
    """`why` names the children."""

    code: MergeCode
    why: str

    @property
    def allowed(self) -> bool:
        return self.code is MergeCode.OK


def merge_verdict(
    children: Sequence[Mergeable],
    *,
    remark: str,
    requester: str,
    approver: str | None = None,
    target_warehouse: str | None = None,
) -> MergeVerdict:
    """Whether these children may be shipped together as things stand. `approver` None: nobody has decided yet.

    `target_warehouse`: where they are to ship from when they lie in different ones.
    """
    found = _findings(children, remark, (requester, approver), target_warehouse)
    names = ", ".join(c.child_no for c in children)
    return next(found, MergeVerdict(MergeCode.OK, f"{names} may ship together"))


def _findings(
    children: Sequence[Mergeable], remark: str, people: tuple[str, str | None], target: str | None
) -> Iterator[MergeVerdict]:
    names = ", ".join(c.child_no for c in children)
    if not remark.strip():
        yield MergeVerdict(MergeCode.REMARK_REQUIRED, f"shipping {names} together needs a remark that says why")
    if people[0] == people[1]:
        yield MergeVerdict(MergeCode.SELF_APPROVAL, f"{people[0]} has asked for it and cannot approve it")
    if len({c.child_no for c in children}) < max(2, len(children)):
        yield MergeVerdict(MergeCode.NOTHING_TO_MERGE, "name two or more different children")
    if len(_all(c.customs for c in children)) > 1:
        yield MergeVerdict(MergeCode.CUSTOMS_MODE_CONFLICT, f"{names} differ in customs mode and never travel together")
    if len(_all(c.logistics for c in children)) > 1:
        yield MergeVerdict(
            MergeCode.LOGISTICS_CONFLICT, f"{names} differ in temperature class and never travel together"
        )
    if touched := [f"{c.child_no} is {c.status}" for c in children if c.status not in BEFORE_PICKING]:
        why = f"{', '.join(touched)}: only what nobody has picked yet can be changed"
        yield MergeVerdict(MergeCode.ALREADY_IN_WAREHOUSE, why)
    if len({c.address for c in children}) > 1:
        yield MergeVerdict(MergeCode.ADDRESS_CONFLICT, f"{names} go to different addresses")
    if len(_all(c.suppliers for c in children)) > 1:
        yield MergeVerdict(MergeCode.SUPPLIER_CONFLICT, f"{names} come from different suppliers")
    places = {c.warehouse for c in children if c.warehouse}
    if len(places) > 1 and target is None:
        why = f"{names} lie in {', '.join(sorted(places))}: name the one to ship from, where all of it has to lie"
        yield MergeVerdict(MergeCode.WAREHOUSE_CONFLICT, why)
    waiting = [c.child_no for c in children if c.status is ChildStatus.BACKORDER]
    if waiting and len(waiting) < len(children):
        why = f"{', '.join(waiting)} waits for goods: ask again when they are there"
        yield MergeVerdict(MergeCode.STOCK_MISSING, why)


def _all(sets: Iterable[frozenset[str]]) -> frozenset[str]:
    return frozenset(chain.from_iterable(sets))
