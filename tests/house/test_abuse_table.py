"""The table of abuse cases is whole, and each of its tests exists."""

import ast
import re
from pathlib import Path

CASES = 106
STILL_OPEN = 0
"""May only fall."""
TEST = re.compile(r"`(tests/[\w/]+\.py)::(test_\w+)`")


def rows(page: str) -> list[list[str]]:
    """Cells of every row that begins with a number."""
    lines = [line for line in page.splitlines() if re.match(r"\| \d+ \|", line)]
    return [[cell.strip() for cell in line.strip().strip("|").split("|")] for line in lines]


def missing_tests(page: str, root: Path) -> list[str]:
    """`path::name` of every test that is named and is not there."""
    return [f"{file}::{name}" for file, name in TEST.findall(page) if name not in functions(root / file)]


def functions(file: Path) -> set[str]:
    if not file.is_file():
        return set()
    found = ast.parse(file.read_text()).body
    return {node.name for node in found if isinstance(node, ast.FunctionDef | ast.AsyncFunctionDef)}


def test_the_table_has_a_row_for_every_case(root: Path) -> None:
    found = rows((root / "docs/abuse-cases.md").read_text())
    assert [int(row[0]) for row in found] == list(range(1, CASES + 1))
    assert all(len(row) == len(("number", "abuse", "what holds it", "test")) and all(row) for row in found)


def test_each_test_that_it_names_exists(root: Path) -> None:
    page = (root / "docs/abuse-cases.md").read_text()
    assert missing_tests(page, root) == []
    assert [row[0] for row in rows(page) if not TEST.search(row[3]) and "**OPEN**" not in row[2]] == []


def test_what_is_open_becomes_less(root: Path) -> None:
    assert len([row for row in rows((root / "docs/abuse-cases.md").read_text()) if "**OPEN**" in row[2]]) == STILL_OPEN


def test_a_test_that_is_gone_is_noticed(tmp_path: Path) -> None:
    (tmp_path / "tests").mkdir()
    (tmp_path / "tests/test_here.py").write_text("def test_one() -> None: ...\n")
    page = "`tests/test_here.py::test_one` `tests/test_here.py::test_two` `tests/test_gone.py::test_one`"
    assert missing_tests(page, tmp_path) == ["tests/test_here.py::test_two", "tests/test_gone.py::test_one"]
