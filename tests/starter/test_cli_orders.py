"""The CLI against a real Temporal server: starting, changing and importing orders."""

import json
import os
from pathlib import Path
from typing import Any

import pytest

from config.settings import TemporalSettings
from domain.order import StartOrder
from domain.strict import parse
from tests.starter.conftest import EXAMPLES, Oms

IMPORT = ("order", "import", str(EXAMPLES / "superstore-40.csv"), "--mapping")
MAPPING = EXAMPLES / "superstore.mapping.yaml"


@pytest.fixture(autouse=True)
def _settings(temporal: TemporalSettings, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("TEMPORAL_ADDRESS", temporal.temporal_address)
    monkeypatch.setenv("TEMPORAL_NAMESPACE", temporal.temporal_namespace)


@pytest.fixture
def own_mapping(tmp_path: Path, order_json: dict[str, Any]) -> str:
    """The example's mapping under order numbers of this test's own."""
    path = tmp_path / "mapping.yaml"
    text = MAPPING.read_text(encoding="utf-8").replace('"SS-{', f'"{order_json["order_no"]}-{{')
    path.write_text(text, encoding="utf-8")
    return str(path)


def test_start_shows_the_pay_code_and_a_second_start_is_refused(oms: Oms, order_json: dict[str, Any]) -> None:
    text = json.dumps(order_json).encode()
    said = oms("order", "start", "-", stdin=text)
    assert said.code == 0, said.err
    for word in (order_json["order_no"], "195.80 CNY", "2026-03-02 10:30:00", "weixin://"):
        assert word in said.out
    again = oms("order", "start", "-", stdin=text)
    assert (again.code, again.out, again.err.count("\n")) == (1, "", 1)
    assert "already exists" in again.err


def test_fresh_plays_an_example_again_and_again(oms: Oms) -> None:
    numbers = {oms("order", "start", str(EXAMPLES / "order.json"), "--fresh", "--json").json["order_no"] for _ in "ab"}
    assert len(numbers) == 2


def test_refused_order_tells_every_reason_in_one_line(oms: Oms, order_json: dict[str, Any]) -> None:
    order_json["lines"][0]["sku"] = "NO-SUCH-SKU"
    said = oms("order", "start", "-", stdin=json.dumps(order_json).encode())
    assert (said.code, said.err.count("\n")) == (1, 1)
    assert "UnknownSku" in said.err
    assert "line L1: no tags" in said.err


def test_changes_answer_or_are_refused_in_one_line(oms: Oms, order_json: dict[str, Any]) -> None:
    number = order_json["order_no"]
    oms("order", "start", "-", stdin=json.dumps(order_json).encode())
    assert oms("order", "refresh", number, "--by", "anna", "--json").json["changes"] == ["asked by: nobody -> anna"]
    refused = oms("order", "confirm", number)
    assert (refused.code, refused.err.count("\n")) == (1, 1)
    assert "nothing has been delivered yet" in refused.err
    assert "no usable key" in oms("order", "cancel", number, "--reason", "changed", "--key", "a b").err
    assert f"{number}-01" in oms("order", "cancel", number, "--reason", "changed their mind", "--key", "k-1").out
    assert "is over" in oms("order", "cancel", number, "--reason", "twice").err
    assert oms("order", "refresh", "SO-NOWHERE").code == 1


def test_import_dry_run_starts_nothing_and_reports_everything(oms: Oms, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.delenv("TEMPORAL_ADDRESS")
    said = oms(*IMPORT, str(MAPPING), "--dry-run", "--json")
    assert said.code == 0, said.err
    report = said.json["report"]
    assert (report["orders_ready"], report["lines"], report["refusals"]) == (40, 125, [])
    assert "37,437.55 CNY" in oms(*IMPORT, str(MAPPING), "--dry-run").out


def test_import_writes_orders_that_the_contract_accepts(oms: Oms, tmp_path: Path) -> None:
    said = oms(*IMPORT, str(MAPPING), "--out", str(tmp_path / "out"), "--limit", "5", "--json")
    files = sorted((tmp_path / "out").iterdir())
    assert [str(f) for f in files] == sorted(said.json["written"])
    orders = [parse(StartOrder, f.read_bytes()) for f in files]
    assert sum(o.payable_minor for o in orders) == said.json["report"]["totals_minor"]["CNY"]


def test_import_starts_each_order_once(oms: Oms, own_mapping: str) -> None:
    arguments = (*IMPORT, own_mapping, "--start", "--placed-now", "--limit", "6", "--json")
    first, again = oms(*arguments), oms(*arguments)
    assert (first.code, len(first.json["started"])) == (0, 6), first.err
    assert (again.code, again.json["started"]) == (1, [])
    assert {n["order_no"] for n in again.json["not_started"]} == set(first.json["started"])
    assert all("already exists" in n["reason"] and n["rows"] for n in again.json["not_started"])


def test_import_keeps_good_orders_beside_refused_ones(oms: Oms, tmp_path: Path, own_mapping: str) -> None:
    lines = (EXAMPLES / "superstore-40.csv").read_text(encoding="utf-8").splitlines()[:6]
    bad = lines[1].rsplit(",", 2)
    file = tmp_path / f"orders-{os.getpid()}.csv"
    file.write_text("\n".join([lines[0], f"{bad[0]},0,{bad[2]}", *lines[2:]]), encoding="utf-8")
    said = oms("order", "import", str(file), "--mapping", own_mapping, "--start", "--json")
    assert said.code == 1
    assert said.err.count("\n") == 1
    assert [r["row"] for r in said.json["report"]["refusals"]] == [2]
    assert said.json["started"] != []
