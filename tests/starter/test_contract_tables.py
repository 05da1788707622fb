"""The tables of messages in docs/contract are what the workflows take and answer, name by name."""

import re
from pathlib import Path

import pytest
from temporalio.workflow import _Definition

from starter.contract import FOLDER, contract
from workflows.order.workflow import Order
from workflows.returns.workflow import Return

ROW = re.compile(r"^\| (update|query|signal) \| `(\w+)` \| (.+?) \| (.+?) \| .+ \|$", re.MULTILINE)
PAGES = {"docs/contract/README.md": Order, "docs/contract/returns.md": Return}
ROOT = FOLDER.parents[1]
NOTHING = {"none", "nothing", "–", "text"}


def rows(page: str) -> list[tuple[str, str, str, str]]:
    return [(k, n, a.strip("`"), b.strip("`")) for k, n, a, b in ROW.findall((ROOT / page).read_text("utf-8"))]


def name(kind: type | None) -> str:
    return "nothing" if kind in (None, type(None)) else kind.__name__


@pytest.mark.parametrize("page", PAGES)
def test_every_update_and_query_stands_in_the_table_with_its_argument_and_answer(page: str) -> None:
    definition = _Definition.must_from_class(PAGES[page])
    told = {(kind, called): (argument, answer) for kind, called, argument, answer in rows(page) if kind != "signal"}
    real = {}
    for called, update in definition.updates.items():
        real["update", called] = (name(update.arg_types[0]) if update.arg_types else "none", name(update.ret_type))
    for called, query in definition.queries.items():
        argument = "text" if query.arg_types == [str] else "none"
        real["query", called] = (argument, name(query.ret_type))
    assert told == real


@pytest.mark.parametrize("page", PAGES)
def test_every_message_of_the_table_has_a_schema_named_after_it(page: str) -> None:
    named = {word for row in rows(page) for word in row[2:]} - NOTHING
    files = {re.sub(r"(?<=[a-z])(?=[A-Z])", "-", word).lower() + ".schema.json" for word in named}
    assert files <= set(contract())
    assert all(Path(FOLDER / file).is_file() for file in files)


def test_the_refusals_of_a_return_are_told() -> None:
    page = (ROOT / "docs/contract/returns.md").read_text("utf-8")
    for kind in ("ReturnRefused", "InvalidReturn", "ReturnChanged", "UNKNOWN_CODE", "BAD_DECISION", "NOT_LEFT"):
        assert f"`{kind}`" in page
