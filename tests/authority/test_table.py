"""One table says who may give which command: every update stands in it, and the page shows it as it is."""

import ast
from pathlib import Path

import pytest

from domain.access.authority import AUTHORITY, START, NotAdmitted, ProofCode, ProvenCaller, authority_table, may_give
from domain.access.controls import COMMAND
from domain.access.desk import COMMAND as DESK
from domain.approvals import Principal, Role
from workflows.order.workflow import Order
from workflows.returns.workflow import Return

ROOT = Path(__file__).resolve().parents[2]
MOVES_NOTHING = {"order.place", "order.refresh", "return.apply"}
"""`apply` asks; the start message that it asks about is proven."""
OWN_TOKEN = {"order.decide", "return.decide"}


def proven_updates() -> set[str]:
    """First words of every `@proven(…)`."""
    found = set()
    for file in (ROOT / "workflows").rglob("*handlers.py"), (ROOT / "workflows" / "order").glob("outside_payment.py"):
        for path in file:
            for node in ast.walk(ast.parse(path.read_text())):
                if isinstance(node, ast.Call) and isinstance(node.func, ast.Name) and node.func.id == "proven":
                    assert isinstance(node.args[0], ast.Constant)
                    found.add(str(node.args[0].value))
    return found


def test_every_update_is_proven_or_moves_nothing() -> None:
    updates = {
        f"{kind}.{name}"
        for kind, workflow in (("order", Order), ("return", Return))
        for name in getattr(workflow, "__temporal_workflow_definition").updates
    }
    assert proven_updates() == updates - MOVES_NOTHING - OWN_TOKEN


def test_every_proven_update_stands_in_the_table() -> None:
    assert {row.partition(":")[0] for row in AUTHORITY} == proven_updates() | {"return.apply", COMMAND, DESK, START}


def test_the_page_shows_the_table_as_it_is() -> None:
    page = (ROOT / "docs/authority.md").read_text()
    shown = page.partition("<!-- authority -->\n")[2].partition("<!-- /authority -->")[0]
    assert shown.splitlines() == authority_table()


@pytest.mark.parametrize("row", sorted(AUTHORITY))
@pytest.mark.parametrize("role", sorted(set(Role) - {Role.SERVICE}))
def test_a_role_admits_what_the_table_says(row: str, role: Role) -> None:
    caller = ProvenCaller("u-1", "oms-local 1", "local", None, None, {})
    found = may_give(row, caller, Principal("u-1", frozenset({role})), "u-1", for_a_person=False)
    if role in AUTHORITY[row].roles:
        assert found == role
    else:
        assert isinstance(found, NotAdmitted)
        assert found.code == ProofCode.WRONG_ROLE


@pytest.mark.parametrize("row", sorted(AUTHORITY))
def test_a_service_gives_what_the_table_says_and_holds_no_other_role(row: str) -> None:
    roles = frozenset(Role)
    caller = ProvenCaller("svc-shop", "svc-shop 1", "service", roles, "buyer-1", {})
    found = may_give(row, caller, Principal("svc-shop", roles), "buyer-1", for_a_person=False)
    assert (found == Role.SERVICE) == AUTHORITY[row].service


def test_only_finance_says_what_became_of_money() -> None:
    assert {row: authority.roles for row, authority in AUTHORITY.items() if row.endswith(": money")} == {
        "order.resolve_ticket: money": (Role.FINANCE,),
        "return.resolve_ticket: money": (Role.FINANCE,),
    }
