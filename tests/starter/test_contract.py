"""The JSON contract: generated, fresh, and as strict as JSON Schema can be."""

import json
from pathlib import Path
from typing import Any

import pytest
from jsonschema import Draft202012Validator

from domain.order import StartOrder
from domain.strict import UnableToRead, parse
from starter.contract import MESSAGES, contract, main, schema_of, stale, write
from tests.starter.conftest import EXAMPLES


def test_committed_contract_is_fresh() -> None:
    assert stale() == [], "run `python -m starter.contract`"
    assert main(["--check"]) == 0


def test_stale_left_over_and_missing_files_are_noticed(tmp_path: Path) -> None:
    write(tmp_path)
    assert stale(tmp_path) == []
    (tmp_path / "placed.schema.json").write_text("{}")
    (tmp_path / "gone.schema.json").write_text("{}")
    (tmp_path / "refresh.schema.json").unlink()
    assert stale(tmp_path) == ["gone.schema.json", "placed.schema.json", "refresh.schema.json"]
    write(tmp_path)
    assert stale(tmp_path) == []


def test_every_schema_is_a_valid_closed_schema() -> None:
    assert len(contract()) == len(MESSAGES)
    for model in MESSAGES:
        schema = schema_of(model)
        Draft202012Validator.check_schema(schema)
        assert schema["additionalProperties"] is False


@pytest.mark.parametrize("path", sorted(EXAMPLES.glob("order*.json")), ids=lambda p: p.name)
def test_schema_and_model_accept_the_examples(path: Path) -> None:
    Draft202012Validator(schema_of(StartOrder)).validate(json.loads(path.read_bytes()))
    order = parse(StartOrder, path.read_bytes())
    assert order.payable_minor > 0


@pytest.mark.parametrize(
    ("path", "value"),
    [
        (("surprise",), 1),
        (("status",), "PAID"),
        (("lines", 0, "qty"), 0),
        (("lines", 0, "qty"), -1),
        (("lines", 0, "qty"), "2"),
        (("lines", 0, "qty"), True),
        (("lines", 0, "qty"), 1.5),
        (("lines", 0, "unit_price_minor"), -1),
        (("lines", 0, "name"), "a\u0007b"),
        (("lines",), []),
        (("order_no",), "ab"),
        (("order_no",), 123456),
        (("currency",), "cny"),
        (("payable_minor",), None),
        (("payment", "method"), "cash"),
    ],
    ids=str,
)
def test_schema_and_model_refuse_the_same_bad_values(path: tuple[str | int, ...], value: Any) -> None:
    order: Any = json.loads((EXAMPLES / "order.json").read_bytes())
    place = order
    for step in path[:-1]:
        place = place[step]
    place[path[-1]] = value
    assert not Draft202012Validator(schema_of(StartOrder)).is_valid(order)
    with pytest.raises(UnableToRead, match=str(path[-1])):
        parse(StartOrder, json.dumps(order))
