"""Decisions can be found: each says where it stands and since when, and the index shows all of them alike."""

import re
from pathlib import Path

import pytest

ROW = re.compile(r"^\| \[(\d{4})\]\((\S+)\) \| (.+?) \| (.+?) \| (.+?) \| (\d{4}-\d\d-\d\d) \|$", re.MULTILINE)
HEAD = re.compile(r"# (\d{4}) (.+)\n\nStatus: (.+)\nDate: (\d{4}-\d\d-\d\d)\n\n")
PARTS = ("**Context.**", "**Decision.**", "**Consequences.**")


@pytest.fixture
def folder(root: Path) -> Path:
    return root / "docs" / "decisions"


def test_each_has_number_status_date_and_three_parts(folder: Path) -> None:
    for path in folder.glob("0*.md"):
        text = path.read_text()
        head = HEAD.match(text)
        assert head, f"{path.name}: title, blank line, `Status:`, `Date:`, blank line"
        assert path.name.startswith(head[1] + "-")
        assert [part for part in PARTS if part not in text] == [], path.name


def test_each_stands_in_the_index_as_it_says_itself(folder: Path) -> None:
    listed = {row[1]: (row[0], *row[4:]) for row in ROW.findall((folder / "README.md").read_text())}
    heads = {path.name: HEAD.match(path.read_text()) for path in folder.glob("0*.md")}
    assert listed == {name: (head[1], head[3], head[4]) for name, head in heads.items() if head}


def test_a_number_without_a_record_is_explained(folder: Path) -> None:
    numbers = {int(path.name[:4]) for path in folder.glob("0*.md")}
    gaps = [n for n in range(1, max(numbers)) if n not in numbers]
    index = (folder / "README.md").read_text()
    assert [n for n in gaps if f"| {n:04d} | number not used |" not in index] == []
