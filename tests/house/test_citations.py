"""The tree stands alone: a page that a file names is in the tree."""

import re
from pathlib import Path

NAMED = re.compile(r"(?<![\w:/.-])((?:\.{0,2}/)?[\w.-]+(?:/[\w.-]+)*\.md)\b(?:#([\w-]+))?")
HEADING = re.compile(r"^#+ (.+)$", re.MULTILINE)
NOT_A_LETTER = re.compile(r"[^\w\- ]")


def missing(files: list[Path], root: Path) -> list[str]:
    """`file:line page` for every page, or heading of one, that is neither below the root nor beside the naming file."""
    found = []
    for path in files:
        for number, line in enumerate(path.read_text(errors="replace").splitlines(), 1):
            for page, heading in NAMED.findall(line):
                place = next((p for p in (root / page, path.parent / page) if p.is_file()), None)
                if place is None or (heading and heading not in headings(place)):
                    found.append(f"{path.relative_to(root)}:{number} {page}{'#' if heading else ''}{heading}")
    return found


def headings(page: Path) -> set[str]:
    """The anchors that a web view gives the page's headings."""
    return {NOT_A_LETTER.sub("", text.lower()).replace(" ", "-") for text in HEADING.findall(page.read_text())}


def test_every_page_that_is_named_exists(kept_files: list[Path], root: Path) -> None:
    assert missing([path for path in kept_files if path != Path(__file__)], root) == []


def test_a_page_that_is_not_there_is_noticed(tmp_path: Path) -> None:
    (tmp_path / "docs").mkdir()
    (tmp_path / "docs" / "here.md").write_text("## 2. State machines\n")
    source = tmp_path / "code.py"
    source.write_text("# docs/here.md, docs/here.md#2-state-machines\n# docs/here.md#gone\n# away.md 3\n")
    assert missing([source], tmp_path) == ["code.py:2 docs/here.md#gone", "code.py:3 away.md"]
