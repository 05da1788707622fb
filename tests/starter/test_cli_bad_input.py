"""Bad input ends in one clear line and exit code 2, and nothing is sent: Temporal's address here is a closed port."""

import json
import subprocess
import sys
from pathlib import Path
from typing import Any

import pytest

from tests.starter.conftest import EXAMPLES, Oms, free_port

ORDER = (EXAMPLES / "order.json").read_bytes()


def changed(*path: str | int, to: Any) -> bytes:
    order: Any = json.loads(ORDER)
    place = order
    for step in path[:-1]:
        place = place[step]
    place[path[-1]] = to
    return json.dumps(order).encode()


BAD: dict[str, tuple[bytes, str]] = {
    "unknown key": (changed("surprise", to=1), "surprise: Extra inputs"),
    "mass assignment": (changed("status", to="PAID"), "status: Extra inputs"),
    "negative quantity": (changed("lines", 0, "qty", to=-1), "lines.0.qty:"),
    "zero quantity": (changed("lines", 0, "qty", to=0), "lines.0.qty:"),
    "negative price": (changed("lines", 0, "unit_price_minor", to=-1), "lines.0.unit_price_minor:"),
    "number as text": (changed("payable_minor", to="19580"), "payable_minor:"),
    "number where text": (changed("order_no", to=123456), "order_no:"),
    "fraction": (changed("lines", 0, "qty", to=1.0), "lines.0.qty:"),
    "true for a number": (changed("lines", 0, "qty", to=True), "lines.0.qty:"),
    "NaN": (ORDER.replace(b'"payable_minor": 19580', b'"payable_minor": NaN'), "NaN is not a JSON number"),
    "infinity": (ORDER.replace(b'"payable_minor": 19580', b'"payable_minor": 1e999'), "out of range"),
    "double key": (ORDER.replace(b'"order_no"', b'"order_no": "SO000000", "order_no"', 1), "stands twice"),
    "naive time": (changed("placed_at", to="2026-03-02T10:00:00"), "placed_at:"),
    "NUL": (changed("address", "recipient", to="a\x00b"), "address.recipient:"),
    "letter of another alphabet in a number": (changed("order_no", to="SО260302"), "order_no:"),
    "full-width digits in a number": (changed("order_no", to="SO２６０３０２"), "order_no:"),
    "full-width digits for a quantity": (changed("lines", 0, "qty", to="１"), "lines.0.qty:"),
    "beyond 64 bits": (changed("payable_minor", to=2**64), "out of range"),
    "above all amounts": (changed("payable_minor", to=2**63 - 1), "payable_minor:"),
    "year 9999": (changed("placed_at", to="9999-12-31T23:59:59+00:00"), "the year is 9999"),
    "year 1": (changed("placed_at", to="0001-01-01T00:00:00+14:00"), "placed_at:"),
    "a deadline in the year 9999": (changed("payment", to={"deadline": "9999-12-31T23:59:59Z"}), "payment.deadline:"),
    "a million lines": (b'{"lines": [' + b"{}," * 1_000_000 + b"{}]}", "has more than 2000000 bytes"),
    "5 MB of text": (changed("channel", to="x" * 5_000_000), "has more than 2000000 bytes"),
    "double line": (changed("lines", 1, "line_id", to="L1"), "same line_id"),
    "no lines": (changed("lines", to=[]), "lines:"),
    "list": (b"[]", "message:"),
    "nothing": (b"", "not JSON"),
    "no UTF-8": (b"\xff\xfe{}", "not UTF-8"),
    "deep": (b"[" * 100_000, "nested deeper"),
    "10 MB": (b'{"order_no": "' + b"x" * 10_000_000 + b'"}', "has more than 2000000 bytes"),
}


@pytest.mark.parametrize("case", BAD)
def test_bad_order_is_one_line_and_exit_2(oms: Oms, tmp_path: Path, monkeypatch: pytest.MonkeyPatch, case: str) -> None:
    monkeypatch.setenv("TEMPORAL_ADDRESS", f"127.0.0.1:{free_port()}")
    content, reason = BAD[case]
    file = tmp_path / "order.json"
    file.write_bytes(content)
    for said in (oms("order", "start", str(file)), oms("order", "start", "-", stdin=content)):
        assert said.code == 2, said
        assert said.out == ""
        assert said.err.count("\n") == 1
        assert said.err.startswith("Error: ")
        assert reason in said.err


@pytest.mark.parametrize(
    "arguments",
    [
        ("order", "start", "absent.json"),
        ("order", "cancel", "x", "--reason", "r"),
        ("order", "cancel", "SO26030201", "--reason", "a\x1b[31mb"),
        ("order", "cancel", "SO26030201", "--reason", "r", "--by", "; drop"),
        ("order", "list", "--status", "NONSENSE"),
        ("order", "import", "x.csv", "--mapping", "y.yaml", "--dry-run"),
        ("order", "import", "x.csv", "--mapping", "y.yaml"),
        ("order", "import", "x.csv", "--mapping", "y.yaml", "--dry-run", "--start"),
        ("ticket", "resolve", "T-1", "--remark", "r"),
        ("ticket", "resolve", "T-1", "--remark", "r", "--retry", "--give-up"),
        ("ticket", "resolve", "T-1", "--remark", "r", "--result", '{"a": NaN}'),
        ("ticket", "resolve", "T-1", "--remark", "r", "--result", "[]"),
        ("ticket", "resolve", "T-1", "--remark", "r", "--retry", "--key", "a b"),
        ("order", "merge", "SO26030201", "SO26030201-01", "SO26030201-02", "--remark", "r", "--key", "a b"),
        ("return", "cancel", "RT-1", "--reason", "r", "--key", "a b"),
        ("return", "inspect", "RC-1", "--good", "1", "--key", "a b"),
        ("approve", "approve", "A-1", "--remark", "r", "--as", "u-sup", "--key", "a b"),
        ("ticket", "list", "--sort", "age; DROP TABLE tickets"),
        ("ticket", "list", "--sort", "t.token"),
        ("event", "show", "0"),
        ("event", "replay", "9" * 30),
        ("event", "list", "--state", "lost"),
        ("stock", "receive", "SKU-1", "WH-1", "0", "--ref", "R1"),
        ("stock", "receive", "SKU-1", "WH-1", "１９", "--ref", "R 1"),
        ("stock", "receive", "a b", "WH-1", "1", "--ref", "R1"),
        ("catalog", "put", "absent.csv"),
        ("catalog", "import", "absent.xlsx"),
        ("catalog", "template", "template.csv"),
        ("catalog", "export", "catalogue.pdf"),
        ("rules", "diff"),
        ("rules", "validate"),
        ("rules", "draft", "absent.xlsx"),
        ("rules", "show", "--draft", "0"),
        ("config", "policy", "draft", "absent.json"),
        ("config", "policy", "diff", "-1"),
        ("event", "stats", "--since", "8d"),
        ("event", "stats", "--since", "yesterday"),
        ("nonsense",),
    ],
    ids=" ".join,
)
def test_bad_arguments_are_one_line_and_exit_2(oms: Oms, arguments: tuple[str, ...]) -> None:
    said = oms(*arguments)
    assert said.code == 2, said
    assert said.err.count("\n") == 1
    assert said.err.startswith("Error: ")
    assert "\x1b" not in said.err
    for_a_machine = oms(*arguments, "--json")
    error = for_a_machine.json["error"]
    assert (for_a_machine.code, error["exit_code"]) == (2, 2)
    assert for_a_machine.err == f"Error: {error['message']}\n"
    assert error["code"]


@pytest.mark.parametrize("arguments", [("order", "list"), ("order", "cancel", "SO26030201", "--reason", "r")])
def test_unconfigured_stack_is_said_with_exit_1(
    oms: Oms, monkeypatch: pytest.MonkeyPatch, arguments: tuple[str, ...]
) -> None:
    monkeypatch.delenv("OMS_DATABASE_URL", raising=False)
    monkeypatch.delenv("TEMPORAL_ADDRESS", raising=False)
    said = oms(*arguments)
    assert (said.code, said.err.count("\n")) == (1, 1)
    assert "make up" in said.err


def test_nothing_that_listens_is_said_with_exit_1(oms: Oms, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("TEMPORAL_ADDRESS", f"127.0.0.1:{free_port()}")
    monkeypatch.setenv("OMS_DATABASE_URL", f"postgres://oms:hidden@127.0.0.1:{free_port()}/oms")
    for arguments in (("order", "confirm", "SO26030201"), ("stock", "show")):
        said = oms(*arguments)
        assert (said.code, said.err.count("\n")) == (1, 1)
        assert "cannot be reached" in said.err
        assert "hidden" not in said.err


def test_module_entry_point_and_help() -> None:
    done = subprocess.run(
        [sys.executable, "-m", "starter", "order", "--help"],
        cwd=EXAMPLES.parent, capture_output=True, text=True, timeout=60, check=False,
    )  # fmt: skip
    assert done.returncode == 0
    assert all(name in done.stdout for name in ("start", "import", "show", "list", "cancel", "confirm", "refresh"))


GROUPS = {
    "order": ("start", "import", "show", "list", "cancel", "confirm", "refresh"),
    "ticket": ("list", "show", "resolve"),
    "event": ("list", "show", "replay", "stats"),
    "stock": ("receive", "show"),
    "catalog": ("import", "template", "export", "show", "put", "list"),
    "rules": ("list", "show", "diff", "export", "draft", "validate", "simulate", "publish", "rollback"),
    "config": ("check",),
    "config policy": ("show", "draft", "drafts", "try", "publish", "history", "diff"),
}


@pytest.mark.parametrize("command", [f"{group} {name}" for group, names in GROUPS.items() for name in names])
def test_every_command_has_an_example_and_json(oms: Oms, command: str) -> None:
    said = oms(*command.split(), "--help")
    assert said.code == 0
    assert f"oms {command}" in said.out
    assert "--json" in said.out
