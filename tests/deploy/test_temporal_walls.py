"""The walls in front of Temporal know our code's names. That they hold is for `go test` and `make cluster` to say."""

from pathlib import Path
from typing import Any

import pytest
import yaml

import worker
from activities.approvals import DECIDE_IN_PLACE
from config.settings import PullSettings
from domain.access.controls import CHANGE_CONTROLS, control_workflow_id
from domain.access.desk import DESK_WORK
from relay.delivery.signalling import SIGNAL
from workflows.approvals.handlers import DECIDE_BY_SIGNAL
from workflows.messages import ORDER_WORKFLOW, TASK_QUEUE, order_workflow_id
from workflows.order_return_signals import RETURN_WORKFLOW, return_workflow_id

SERVER = Path(__file__).resolve().parents[2] / "deploy" / "server"


@pytest.fixture(scope="module")
def rights() -> dict[str, Any]:
    loaded: dict[str, Any] = yaml.safe_load((SERVER / "rights.yaml").read_text())
    return loaded


def started(rights: dict[str, Any], role: str) -> dict[str, str]:
    return {kind: start["id"] for kind, start in rights[role].get("starts", {}).items()}


def test_the_worker_starts_its_loops_under_their_own_names(rights: dict[str, Any]) -> None:
    loops = worker.loops(PullSettings(), worker.OPTIONAL)
    allowed = started(rights, "worker")
    assert set(allowed) == {loop.name for loop in loops}
    assert all(loop.id.startswith(allowed[loop.name]) for loop in loops)
    assert rights["worker"]["signals"] == ["configure"]


def test_a_backend_starts_orders_and_returns_and_people_what_they_decide(rights: dict[str, Any]) -> None:
    business = {ORDER_WORKFLOW: order_workflow_id(""), RETURN_WORKFLOW: return_workflow_id("")}
    assert started(rights, "backend") == business
    decisions = {CHANGE_CONTROLS: control_workflow_id("", 0).partition("/")[0] + "/", DECIDE_IN_PLACE: "decide/"}
    desk = {DESK_WORK: "desk/"}
    assert started(rights, "operator") == started(rights, "console") == business | decisions | desk


def test_every_workflow_of_ours_is_started_by_somebody(rights: dict[str, Any]) -> None:
    assert {kind for role in rights for kind in started(rights, role)} == set(worker.WORKFLOW_TYPES)


def test_each_signal_has_the_name_that_the_code_gives_it(rights: dict[str, Any]) -> None:
    assert rights["relay"]["signals"] == [SIGNAL]
    assert rights["backend"]["signals"] == rights["operator"]["signals"] == [DECIDE_BY_SIGNAL]
    assert f'const taskQueue = "{TASK_QUEUE}"' in (SERVER / "rights.go").read_text()


def test_only_the_worker_polls(rights: dict[str, Any]) -> None:
    polls = {
        role for role, may in rights.items() if any("TaskQueue" in c and "Poll" in c for c in may.get("calls", ()))
    }
    assert polls == {"worker"}


def test_the_example_of_a_walls_file_gives_people_no_more_than_a_look(rights: dict[str, Any]) -> None:
    issuers = yaml.safe_load((SERVER / "walls.example.yaml").read_text())["issuers"]
    ours, people = issuers
    assert set(ours["roles"]) <= {*rights, "keeper"}
    assert ours["certificate"] == "subject"
    assert people["roles"] == ["reader"]
    assert people["certificate"] == "web-ui"
    assert people["keys"].startswith("https://")


def test_the_server_asks_nodes_and_clients_for_certificates_of_different_authorities() -> None:
    text = (SERVER / "server.yaml").read_text()
    assert text.count("requireClientAuth: true") == 2
    assert "clientCaFiles: [{{ $keys }}/temporal_node_authority]" in text
    assert "clientCaFiles: [{{ $keys }}/temporal_client_authority]" in text
    assert "httpPort" not in text
