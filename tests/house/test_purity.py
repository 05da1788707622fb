"""What import contracts cannot see: calls of the clock, reads of the environment, floats in money."""

import ast
from collections.abc import Iterator
from pathlib import Path

CLOCKS = {"now", "utcnow", "today"}
READS_ENVIRONMENT = {
    "config/sources.py", "sandbox/__main__.py", "deploy/local/__main__.py", "deploy/local/stack.py",
    "starter/cli/language.py",  # what language a terminal speaks is no setting of ours
}  # fmt: skip


def in_rooms(files: list[Path], root: Path, *rooms: str) -> list[Path]:
    return [path for path in files if path.relative_to(root).parts[0] in rooms]


def calls(path: Path) -> Iterator[tuple[int, ast.Attribute]]:
    for node in ast.walk(ast.parse(path.read_text())):
        if isinstance(node, ast.Call) and isinstance(node.func, ast.Attribute):
            yield node.lineno, node.func


def test_domain_and_providers_are_told_the_time(python_files: list[Path], root: Path) -> None:
    asked = [
        f"{path}:{line}"
        for path in in_rooms(python_files, root, "domain", "providers")
        for line, function in calls(path)
        if function.attr in CLOCKS
        and isinstance(function.value, ast.Name)
        and function.value.id in ("datetime", "date")
    ]
    assert asked == []


def test_workflows_use_workflow_time_only(python_files: list[Path], root: Path) -> None:
    asked = [
        f"{path}:{line}"
        for path in in_rooms(python_files, root, "workflows")
        for line, function in calls(path)
        if function.attr in CLOCKS and ast.unparse(function.value) != "workflow"
    ]
    assert asked == []


def test_workflows_wait_deterministically(python_files: list[Path], root: Path) -> None:
    """`asyncio.wait` and `as_completed` iterate over sets; the SDK has its own."""
    found = [
        f"{path}:{line}"
        for path in in_rooms(python_files, root, "workflows")
        for line, function in calls(path)
        if ast.unparse(function) in ("asyncio.wait", "asyncio.as_completed")
    ]
    assert found == []


def test_only_the_configuration_reads_the_environment(python_files: list[Path], root: Path) -> None:
    readers = [
        str(path.relative_to(root))
        for path in python_files
        if path.relative_to(root).parts[0] not in ("tests", "bench", "examples")
        and _names(path) & {"os.environ", "os.getenv"}
    ]
    assert set(readers) <= READS_ENVIRONMENT


def test_no_float_among_money(python_files: list[Path], root: Path) -> None:
    """Neither a float literal nor a true division next to a name in minor units."""
    found = [
        f"{path}:{node.lineno} {ast.unparse(node)}"
        for path in in_rooms(python_files, root, "domain", "workflows", "activities", "store")
        for node in ast.walk(ast.parse(path.read_text()))
        if isinstance(node, ast.BinOp)
        and (isinstance(node.op, ast.Div) or _is_float(node.left) or _is_float(node.right))
        and "minor" in ast.unparse(node)
    ]
    assert found == []


def _is_float(node: ast.expr) -> bool:
    return isinstance(node, ast.Constant) and isinstance(node.value, float)


def _names(path: Path) -> set[str]:
    tree = ast.parse(path.read_text())
    return {ast.unparse(node) for node in ast.walk(tree) if isinstance(node, ast.Attribute)}
