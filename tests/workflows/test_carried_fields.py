"""No field of what orders and returns know is forgotten when a run goes on as a new one."""

import ast
import importlib
from collections.abc import Iterator
from pathlib import Path

import pytest

from workflows.durable.carrying import Table

ROOT = Path(__file__).parents[2]
ROOMS = ("order", "returns", "refunds", "approvals", "shipping", "durable")
OF_THE_RUN = {
    "Batcher": "a request under way",
    "Branches": "started anew",
    "Cancellation": "no handler runs while a run ends",
    "CannotResolve": "an error",
    "ChangeControls": "one question is one run",
    "DecideInPlace": "one decision is one run",
    "GaveUp": "an error",
    "Interception": "no run ends while something is being stopped",
    "Journal": "checked with the order's and the return's state",
    "RefundOutcome": "built from how far a refund has come (Following)",
    "Reallocation": "wiring",
    "Readdressing": "wiring",
    "Resourcing": "wiring",
    "ReturnEnded": "an error",
    "SharedWarehouse": "requests under way",
    "Stalls": "a step in the store is under way while one waits",
    "StartRefused": "an error",
    "StepFailed": "an error",
    "StepsUnderWay": "none is",
    "Table": "how fields go along",
    "Through": "how a field goes along",
    "Ticket": "packed by Tickets",
    "UnreadSignals": "packed by EventQueue",
    "ByType": "how a field goes along",
    "Warehouse": "wiring",
}


def fields_of(node: ast.ClassDef) -> set[str]:
    """What its methods assign to on `self`."""
    targets = (
        target
        for n in ast.walk(node)
        if isinstance(n, ast.Assign | ast.AnnAssign | ast.AugAssign)
        for whole in (n.targets if isinstance(n, ast.Assign) else [n.target])
        for target in (whole.elts if isinstance(whole, ast.Tuple) else [whole])
    )
    return {
        t.attr
        for t in targets
        if isinstance(t, ast.Attribute) and isinstance(t.value, ast.Name) and t.value.id == "self"
    }


def classes() -> Iterator[tuple[str, str, set[str]]]:
    for room in ROOMS:
        for path in sorted((ROOT / "workflows" / room).rglob("*.py")):
            module = ".".join(path.relative_to(ROOT).with_suffix("").parts)
            for node in ast.parse(path.read_text()).body:
                if isinstance(node, ast.ClassDef) and (fields := fields_of(node)):
                    yield module, node.name, fields


FOUND = {name: (module, fields) for module, name, fields in classes()}


@pytest.mark.parametrize("name", sorted(set(FOUND) - set(OF_THE_RUN)))
def test_every_field_goes_along_or_says_why_not(name: str) -> None:
    module, fields = FOUND[name]
    if name.endswith("Handlers"):
        return  # its fields are those of the workflow below
    table: Table = getattr(importlib.import_module(module), name).CARRIED
    known = set(table.fields) | set(table.left)
    assert not fields - known, f"{name}: {', '.join(sorted(fields - known))} neither goes along nor says why not"
    assert not set(table.fields) & set(table.left), f"{name}: a field goes along and does not"


def test_what_is_named_here_is_there() -> None:
    assert set(OF_THE_RUN) <= set(FOUND), sorted(set(OF_THE_RUN) - set(FOUND))
