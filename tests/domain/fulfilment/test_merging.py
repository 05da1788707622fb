"""Shipping together: the first reason against it is told, in a fixed order."""

from dataclasses import replace
from typing import Any

import pytest

from domain.fulfilment.merging import Mergeable, MergeCode, merge_verdict
from domain.states import ChildStatus


def child(n: int, **changed: Any) -> Mergeable:
    base = Mergeable(
        f"SO14-{n:02d}", ChildStatus.RELEASED, "ADDR-1", frozenset({"domestic"}), frozenset({"ambient"}),
        frozenset({"SELF"}), "WH1",
    )  # fmt: skip
    return replace(base, **changed)


CBEC, COLD = frozenset({"cbec"}), frozenset({"cold"})
WORST: dict[str, Any] = {
    "customs": CBEC, "logistics": COLD, "status": ChildStatus.PICKING, "address": "ADDR-2",
    "suppliers": frozenset({"SUP"}), "warehouse": "WH2",
}  # fmt: skip


def code(second: Mergeable, **changed: Any) -> MergeCode:
    how: dict[str, Any] = {"remark": "the buyer asks for one parcel", "requester": "u-ops", "approver": "u-sup"}
    return merge_verdict([child(1), second], **(how | changed)).code


def test_children_alike_may_ship_together() -> None:
    assert code(child(2)) is MergeCode.OK
    assert code(child(2, status=ChildStatus.CREATED), approver=None) is MergeCode.OK


def test_the_reasons_are_looked_for_in_their_order() -> None:
    worst = child(2, **WORST)
    assert code(worst, remark=" ", approver="u-ops") is MergeCode.REMARK_REQUIRED
    assert code(worst, approver="u-ops") is MergeCode.SELF_APPROVAL
    left = dict(WORST)
    for name, expected in (
        ("customs", MergeCode.CUSTOMS_MODE_CONFLICT),
        ("logistics", MergeCode.LOGISTICS_CONFLICT),
        ("status", MergeCode.ALREADY_IN_WAREHOUSE),
        ("address", MergeCode.ADDRESS_CONFLICT),
        ("suppliers", MergeCode.SUPPLIER_CONFLICT),
        ("warehouse", MergeCode.WAREHOUSE_CONFLICT),
    ):
        assert code(child(2, **left)) is expected
        del left[name]
    assert code(child(2, **left)) is MergeCode.OK


@pytest.mark.parametrize("status", [s for s in ChildStatus if s.value in ("PICKING", "PACKED", "SHIPPED", "SIGNED")])
def test_what_has_been_touched_stays_apart(status: ChildStatus) -> None:
    assert code(child(2, status=status)) is MergeCode.ALREADY_IN_WAREHOUSE
    assert code(child(2, status=ChildStatus.CANCELLED)) is MergeCode.ALREADY_IN_WAREHOUSE


def test_what_waits_for_goods_ships_together_with_its_like_only() -> None:
    assert code(child(2, status=ChildStatus.BACKORDER)) is MergeCode.STOCK_MISSING


def test_a_named_warehouse_settles_from_where() -> None:
    assert code(child(2, warehouse="WH2"), target_warehouse="WH2") is MergeCode.OK


def test_one_child_is_not_shipped_together_with_itself() -> None:
    assert merge_verdict([child(1), child(1)], remark="x", requester="u").code is MergeCode.NOTHING_TO_MERGE
    assert merge_verdict([child(1)], remark="x", requester="u").code is MergeCode.NOTHING_TO_MERGE
