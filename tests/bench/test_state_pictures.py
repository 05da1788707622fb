"""The pictures of the state machines: fresh, complete, and what stored histories have really done."""

import base64
import itertools
import json
from pathlib import Path
from typing import Any

import pytest

from bench.state_pictures import diagram, main, order_edges, page, refund_edges, return_edges
from bench.state_walks import Edge, parcel_edges
from domain.returns.enums import CaseStatus, ReturnType
from domain.returns.states import ReturnEvent
from domain.states import ChildStatus, OrderStatus, RefundStatus

HISTORIES = sorted((Path(__file__).parents[1] / "replay" / "histories").glob("*.json"))


def states(edges: set[Edge]) -> set[str]:
    return {state for edge in edges for state in (edge.before, edge.after)}


def test_the_committed_page_is_fresh() -> None:
    assert main(["--check"]) == 0, "run `python -m bench.state_pictures`"


def test_a_stale_page_is_noticed(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("bench.state_pictures.PAGE", tmp_path / "page")
    assert main(["--check"]) == 1
    assert main([]) == 0
    assert main(["--check"]) == 0
    (tmp_path / "page").write_text(page() + "one more word")
    assert main(["--check"]) == 1


def test_every_state_is_drawn_or_said_to_be_unused() -> None:
    returns = states(set().union(*(return_edges(kind) for kind in ReturnType)))
    assert states(order_edges()) == set(OrderStatus)
    assert states(refund_edges()) == set(RefundStatus)
    assert returns == set(CaseStatus)
    assert set(ChildStatus) - states(parcel_edges()) == {ChildStatus.CREATED, ChildStatus.RISK_HOLD}
    assert "`CREATED`, `RISK_HOLD`" in page()


def test_types_that_share_a_picture_have_its_steps() -> None:
    assert return_edges(ReturnType.EXCHANGE) == return_edges(ReturnType.WARRANTY_REPLACEMENT)
    more = return_edges(ReturnType.REFUND_ONLY) - return_edges(ReturnType.CANCEL_UNSHIPPED)
    assert more == {Edge(CaseStatus.FINANCE_REVIEW, CaseStatus.CANCELLED_BY_BUYER, ReturnEvent.BUYER_CANCELLED)}
    assert return_edges(ReturnType.CANCEL_UNSHIPPED) < return_edges(ReturnType.REFUND_ONLY)


def test_an_edge_of_every_member_is_drawn_once_from_the_group() -> None:
    edges = {Edge("A", "B", "on"), Edge("A", "C", "off"), Edge("B", "C", "off"), Edge("C", "A", "back")}
    drawn = diagram(edges, ["A"], {"both": ("A", "B")})
    assert "both --> C: off" in drawn and "A --> B: on" in drawn and "C --> A: back" in drawn
    assert "A --> C" not in drawn and "B --> C" not in drawn


@pytest.mark.parametrize("path", HISTORIES, ids=lambda path: path.stem)
def test_stored_histories_walk_along_the_pictures(path: Path) -> None:
    """What stood at the end of each write; a write may carry several steps."""
    seen = _statuses(json.loads(path.read_text())["events"])
    edges = order_edges() if set(seen) <= set(OrderStatus) else set().union(*map(return_edges, ReturnType))
    for before, after in itertools.pairwise(seen):
        assert after in _leads_to(edges, before), f"{before} became {after}"


def _leads_to(edges: set[Edge], state: str) -> set[str]:
    found, grown = {state}, True
    while grown:
        more = found | {edge.after for edge in edges if edge.before in found}
        found, grown = more, more != found
    return found


def _statuses(events: list[dict[str, Any]]) -> list[str]:
    name = "upsertWorkflowSearchAttributesEventAttributes"
    fields = [event[name]["searchAttributes"]["indexedFields"] for event in events if name in event]
    return [json.loads(base64.b64decode(field["OmsStatus"]["data"])) for field in fields if "OmsStatus" in field]
