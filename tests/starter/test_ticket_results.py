"""What a form asks for is what the workflow's step takes: every step that can be supplied is known."""

import ast
from pathlib import Path

import pytest

from starter.clients.ticket_results import RESULTS, read_result, result_fields
from starter.text.words.ticket import MEANINGS, TICKET_WORDS

WORKFLOWS = Path(__file__).parents[2] / "workflows"


def constants(tree: ast.Module) -> dict[str, str]:
    return {
        node.targets[0].id: node.value.value
        for node in tree.body
        if isinstance(node, ast.Assign) and isinstance(node.targets[0], ast.Name)
        if isinstance(node.value, ast.Constant) and isinstance(node.value.value, str)
    }


def steps() -> dict[str, str]:
    """Name of the step to the name of its result's type, as far as both stand in the code as they are."""
    found: dict[str, str] = {}
    for path in WORKFLOWS.rglob("*.py"):
        tree = ast.parse(path.read_text())
        named = constants(tree)
        for node in ast.walk(tree):
            if not isinstance(node, ast.Call):
                continue
            result = next((k.value for k in node.keywords if k.arg == "result"), None)
            if isinstance(node.func, ast.Name) and node.func.id == "Step" and len(node.args) > 2:
                result = node.args[2]
            if isinstance(result, ast.Name) and len(node.args) > 1:
                step = node.args[1]
                name = step.value if isinstance(step, ast.Constant) else named.get(getattr(step, "id", ""))
                if isinstance(name, str):
                    found[name] = result.id
    return found


def meanings() -> set[str]:
    """Texts of what giving up means, wherever workflows write one down: said in the call, under a name of the module,
    as the fourth thing that a step says, or as `means` just before."""
    found = set()
    for path in WORKFLOWS.rglob("*.py"):
        tree = ast.parse(path.read_text())
        named = constants(tree)
        for node in ast.walk(tree):
            for said in _said(node):
                text = said.value if isinstance(said, ast.Constant) else named.get(getattr(said, "id", ""))
                if isinstance(text, str):
                    found.add(text)
    return found


def _said(node: ast.AST) -> list[ast.expr]:
    if isinstance(node, ast.Assign):
        return [node.value] if [getattr(target, "id", "") for target in node.targets] == ["means"] else []
    if not isinstance(node, ast.Call):
        return []
    said = [keyword.value for keyword in node.keywords if keyword.arg == "give_up_means"]
    is_step = isinstance(node.func, ast.Name) and node.func.id == "Step" and len(node.args) > 3
    return [*said, node.args[3]] if is_step else said


def test_every_step_that_takes_a_result_has_a_form() -> None:
    found = steps()
    assert len(found) > 8
    assert {name: RESULTS[name].__name__ if name in RESULTS else None for name in found} == found


def test_every_step_that_takes_a_result_and_every_meaning_has_words() -> None:
    assert set(RESULTS) <= set(TICKET_WORDS["step"])
    assert len(meanings()) > 25 and meanings() - set(MEANINGS) == set()
    fields = {field.name for step in RESULTS for field in result_fields(step) or ()}
    assert fields <= set(TICKET_WORDS["result field"])


@pytest.mark.parametrize(
    ("step", "said"),
    [("push outbound", {}), ("query payment", {"state": "PAID"}), ("query payment", {"state": "MAYBE"})],
)
def test_an_answer_that_says_too_little_is_refused_before_it_is_sent(step: str, said: dict[str, str]) -> None:
    with pytest.raises(ValueError, match=r"Field required|PAID|Input should|fact"):
        read_result(step, said, channel="wechat", order_no="SO1001", amount_minor=None, at=None)
