"""Documents say where things are, and can be scanned."""

import re
from pathlib import Path

NAMED = re.compile(r"`([a-z_]\w*(?:/\w+)+\.py)\b")
WIDEST_CELL = 160


def missing_files(pages: list[Path], root: Path) -> list[str]:
    """`page:line file` for every `folder/file.py` in backticks that is not in the tree."""
    return [
        f"{page.relative_to(root)}:{number} {name}"
        for page in pages
        for number, line in enumerate(page.read_text().splitlines(), 1)
        for name in NAMED.findall(line)
        if not (root / name).is_file()
    ]


def wide_cells(text: str) -> list[str]:
    rows = [line for line in text.splitlines() if line.startswith("|")]
    return [cell for row in rows for cell in row.strip("|").split("|") if len(cell.strip()) >= WIDEST_CELL]


def test_every_file_that_a_page_names_exists(kept_files: list[Path], root: Path) -> None:
    assert missing_files([path for path in kept_files if path.suffix == ".md"], root) == []


def test_every_target_of_make_that_a_page_names_has_a_rule(kept_files: list[Path], root: Path) -> None:
    rules = set(re.findall(r"^([a-z]+):", (root / "Makefile").read_text(), re.MULTILINE))
    pages = [path for path in kept_files if path.suffix in (".md", ".cfg", ".yml")]
    named = {target for page in pages for target in re.findall(r"`make ([a-z]+)", page.read_text())}
    assert len(named) > 15
    assert named - rules == set()


def test_a_file_that_is_gone_is_noticed(tmp_path: Path) -> None:
    (tmp_path / "here.py").write_text("")
    page = tmp_path / "page"
    page.write_text("`here.py`\n`store/gone.py` `Class.method`\n")
    assert missing_files([page], tmp_path) == ["page:2 store/gone.py"]


def test_the_tables_of_the_architecture_can_be_scanned(root: Path) -> None:
    assert wide_cells((root / "docs/architecture.md").read_text()) == []
    assert wide_cells("| " + "x" * WIDEST_CELL + " | y |") == [" " + "x" * WIDEST_CELL + " "]
