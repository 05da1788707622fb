"""Small files, honest names, documented rooms."""

import ast
from pathlib import Path

BANNED = {"utils", "util", "common", "helpers", "helper", "services", "service_layer", "manager", "base", "misc"}
LONGEST_FILE = 300
LONGEST_CLASS_FILE = 400
"""For a file that holds one class: a class is not torn apart for a line count."""
LONGEST_FUNCTION = 80
TOP_LEVEL = {
    ".ci", "activities", "bench", "config", "console", "deploy", "docs", "domain", "examples", "providers", "relay",
    "rules", "sandbox", "starter", "store", "tests", "wire", "workflows",
}  # fmt: skip


def test_no_module_has_a_name_that_means_nothing(python_files: list[Path], root: Path) -> None:
    named = [path for path in python_files if {*path.relative_to(root).with_suffix("").parts} & BANNED]
    assert named == []


def test_no_file_is_longer_than_one_idea(python_files: list[Path]) -> None:
    long = {str(path): lines for path in python_files if (lines := len(path.read_text().splitlines())) > _cap(path)}
    assert long == {}


def _cap(path: Path) -> int:
    classes = [node for node in ast.parse(path.read_text()).body if isinstance(node, ast.ClassDef)]
    return LONGEST_CLASS_FILE if len(classes) == 1 else LONGEST_FILE


def test_no_function_needs_scrolling(python_files: list[Path]) -> None:
    long = [
        f"{path}:{node.lineno} {node.name}"
        for path in python_files
        for node in ast.walk(ast.parse(path.read_text()))
        if isinstance(node, ast.FunctionDef | ast.AsyncFunctionDef)
        and (node.end_lineno or node.lineno) - node.lineno >= LONGEST_FUNCTION
    ]
    assert long == []


def test_every_module_says_what_it_is(python_files: list[Path], root: Path) -> None:
    silent = [
        str(path)
        for path in python_files
        if "tests" not in path.relative_to(root).parts and not ast.get_docstring(ast.parse(path.read_text()))
    ]
    assert silent == []


def test_a_new_top_level_folder_needs_a_decision(kept_files: list[Path], root: Path) -> None:
    folders = {path.relative_to(root).parts[0] for path in kept_files if len(path.relative_to(root).parts) > 1}
    assert folders <= TOP_LEVEL


def test_every_test_file_asserts_something(python_files: list[Path]) -> None:
    silent = [str(path) for path in python_files if path.name.startswith("test_") and not _asserts(path)]
    assert silent == []


def _asserts(path: Path) -> bool:
    for node in ast.walk(ast.parse(path.read_text())):
        if isinstance(node, ast.Assert):
            return True
        if isinstance(node, ast.Call) and isinstance(node.func, ast.Attribute) and node.func.attr == "raises":
            return True
    return False
