import json
from pathlib import Path
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from domain.money import UnableToAllocate, allocate, equal_part_sum, equal_parts

CASES = [json.loads(row) for row in (Path(__file__).parent / "allocation-cases.jsonl").read_text("utf-8").splitlines()]
weights_lists = st.lists(st.integers(0, 10**12), min_size=1, max_size=40)


@pytest.mark.parametrize("case", CASES, ids=lambda case: str(case["id"]))
def test_shares_are_those_of_other_peoples_allocators(case: dict[str, Any]) -> None:
    assert allocate(case["amount"], case["weights"]) == case["expect"]


@given(st.integers(-(10**14), 10**14), weights_lists)
def test_parts_sum_to_the_total_and_stay_within_one_unit_of_their_exact_share(total: int, weights: list[int]) -> None:
    parts = allocate(total, weights)
    assert sum(parts) == total
    whole = sum(weights) or len(weights)
    for part, weight in zip(parts, weights if sum(weights) else [1] * len(weights), strict=True):
        assert abs(part * whole - total * weight) < whole


@given(st.integers(0, 10**9), weights_lists)
def test_a_negative_total_mirrors_the_positive_one(total: int, weights: list[int]) -> None:
    assert allocate(-total, weights) == [-part for part in allocate(total, weights)]


@given(st.integers(0, 10**9), weights_lists)
def test_leftover_units_go_to_the_largest_remainders_and_ties_to_the_earlier(total: int, weights: list[int]) -> None:
    if not (whole := sum(weights)):
        return
    floors = [total * weight // whole for weight in weights]
    gets_more = [part - floor for part, floor in zip(allocate(total, weights), floors, strict=True)]
    assert set(gets_more) <= {0, 1}
    by_claim = sorted(range(len(weights)), key=lambda i: (-(total * weights[i] % whole), i))
    assert [gets_more[i] for i in by_claim] == sorted(gets_more, reverse=True)


@given(st.integers(0, 10**9), weights_lists)
def test_a_line_that_weighs_nothing_gets_nothing_unless_all_weigh_nothing(total: int, weights: list[int]) -> None:
    if sum(weights):
        assert all(part == 0 for part, weight in zip(allocate(total, weights), weights, strict=True) if weight == 0)


def test_shares_of_sums_beyond_a_floats_precision_are_exact() -> None:
    assert allocate(10**18 + 1, [1, 10**18]) == [1, 10**18]


def test_nothing_is_shared_over_nobody() -> None:
    assert allocate(0, []) == []
    with pytest.raises(UnableToAllocate, match="nothing to share 5"):
        allocate(5, [])


def test_a_negative_weight_is_refused() -> None:
    with pytest.raises(UnableToAllocate, match="negative"):
        allocate(5, [1, -1])


@given(st.integers(0, 10**6), st.integers(1, 50), st.data())
def test_sums_of_equal_parts_need_no_list(total: int, count: int, data: st.DataObject) -> None:
    parts = equal_parts(total, count)
    assert parts == allocate(total, [1] * count)
    first = data.draw(st.integers(0, count))
    taken = data.draw(st.integers(0, count - first))
    assert equal_part_sum(total, count, first, taken) == sum(parts[first : first + taken])
