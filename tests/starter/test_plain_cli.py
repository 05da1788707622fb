"""The contract's README by letter: an order started and changed with the plain Temporal CLI, without our code."""

import json
import subprocess
import sysconfig
from pathlib import Path
from typing import Any

import pytest

from config.settings import TemporalSettings


@pytest.fixture
def order_file(order_json: dict[str, Any], tmp_path: Path) -> Path:
    path = tmp_path / "order.json"
    path.write_text(json.dumps(order_json), encoding="utf-8")
    return path


def temporal_cli(server: TemporalSettings, *arguments: str) -> "subprocess.CompletedProcess[str]":
    binary = Path(sysconfig.get_path("scripts")) / "temporal"
    command = [str(binary), "workflow", *arguments, "--address", server.temporal_address, "-o", "json"]
    return subprocess.run(command, capture_output=True, text=True, timeout=60, check=False)


def start_options(number: str, file: Path) -> list[str]:
    return [
        *("--type", "Order", "--task-queue", "oms", "--workflow-id", f"order/{number}", "--input-file", str(file)),
        *("--id-conflict-policy", "Fail", "--id-reuse-policy", "RejectDuplicate", "--fail-existing"),
    ]


def test_start_then_place_query_and_updates(
    temporal: TemporalSettings, order_json: dict[str, Any], order_file: Path
) -> None:
    number = order_json["order_no"]
    to = ("--workflow-id", f"order/{number}")
    assert temporal_cli(temporal, "start", *start_options(number, order_file)).returncode == 0
    placed = json.loads(temporal_cli(temporal, "update", "execute", *to, "--name", "place").stdout)
    assert placed["result"]["payable_minor"] == 19580
    view = json.loads(temporal_cli(temporal, "query", *to, "--type", "view").stdout)
    assert view["queryResult"][0]["status"] == "PENDING_PAYMENT"
    message = '{"by": "ops-anna", "reason": "buyer changed their mind"}'
    done = json.loads(temporal_cli(temporal, "update", "execute", *to, "--name", "cancel", "--input", message).stdout)
    assert done["result"]["cancelled"] == [f"{number}-01"]
    again = temporal_cli(temporal, "start", *start_options(number, order_file))
    assert again.returncode != 0
    assert "already" in again.stderr


def test_update_with_start_answers_in_one_call(
    temporal: TemporalSettings, order_json: dict[str, Any], order_file: Path
) -> None:
    options = start_options(order_json["order_no"], order_file)
    done = temporal_cli(temporal, "execute-update-with-start", *options, "--update-name", "place")
    assert json.loads(done.stdout)["updateResult"]["order_no"] == order_json["order_no"], done.stderr


def test_refusal_shows_type_and_reason(temporal: TemporalSettings, order_json: dict[str, Any], tmp_path: Path) -> None:
    order_json["lines"][0]["sku"] = "NO-SUCH-SKU"
    file = tmp_path / "order.json"
    file.write_text(json.dumps(order_json), encoding="utf-8")
    options = start_options(order_json["order_no"], file)
    done = temporal_cli(temporal, "execute-update-with-start", *options, "--update-name", "place")
    assert done.returncode == 1
    assert "NO-SUCH-SKU is not in the catalogue" in done.stderr
