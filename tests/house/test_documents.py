"""Documents say where things are, and can be scanned."""

import re
from pathlib import Path

NAMED = re.compile(r"`([a-z_]\w*(?:/\w+)+\.py)\b")
WIDEST_CELL = 160
CODE, BLOCK = re.compile(r"`([^`\n]+)`"), re.compile(r"```.*?```", re.DOTALL)
ROW, HEAD = re.compile(r"^\|", re.MULTILINE), re.compile(r"^#", re.MULTILINE)


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


def unlike(english: str, chinese: str) -> dict[str, object]:
    """What one of the two pages says and the other does not: names in code, rows of tables, headings."""
    here, there = (set(CODE.findall(BLOCK.sub("", page))) for page in (english, chinese))
    counts = {
        what: (len(shape.findall(english)), len(shape.findall(chinese)))
        for what, shape in (("rows", ROW), ("heads", HEAD))
    }
    return {"names": here ^ there} if here ^ there else {w: n for w, n in counts.items() if n[0] != n[1]}


def test_the_chinese_pages_for_business_people_say_what_the_english_ones_say(root: Path) -> None:
    pages = sorted((root / "docs" / "zh").glob("*.md"))
    assert [page.stem for page in pages] == ["returns", "rules"]
    for page in pages:
        english = root / "docs" / page.name
        assert unlike(english.read_text(), page.read_text()) == {}, page.name
        assert f"[中文](zh/{page.name})" in english.read_text() and f"[English](../{page.name})" in page.read_text()
    assert unlike("`a` and `b`", "`a`") == {"names": {"b"}} and unlike("| a |", "") == {"rows": (1, 0)}


def test_a_file_that_is_gone_is_noticed(tmp_path: Path) -> None:
    (tmp_path / "here.py").write_text("")
    page = tmp_path / "page"
    page.write_text("`here.py`\n`store/gone.py` `Class.method`\n")
    assert missing_files([page], tmp_path) == ["page:2 store/gone.py"]


def test_the_tables_of_the_architecture_can_be_scanned(root: Path) -> None:
    assert wide_cells((root / "docs/architecture.md").read_text()) == []
    assert wide_cells("| " + "x" * WIDEST_CELL + " | y |") == [" " + "x" * WIDEST_CELL + " "]
