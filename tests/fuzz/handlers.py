"""All that can be said to the workflows of the worker, found in their definitions: what is new here is fuzzed too."""

import ast
import inspect
import textwrap
from collections.abc import Callable, Iterator
from dataclasses import dataclass
from typing import Any, get_type_hints

from pydantic import BaseModel
from temporalio import workflow

import worker

UNKNOWN = "no_such_one"
OF_THE_SDK = ("__stack_trace", "__enhanced_stack_trace", "__temporal_workflow_metadata")
"""Queries that every workflow answers."""


@dataclass(frozen=True)
class Handlers:
    """Of one workflow, by name; `updates` with the message that each takes, None for one that takes none."""

    signals: tuple[str, ...]
    updates: dict[str, type[BaseModel] | None]
    queries: tuple[str, ...]


def handlers_of(definition: type[Any]) -> Handlers:
    found = workflow._Definition.must_from_class(definition)
    named = {name for name in found.signals if name is not None}
    return Handlers(
        tuple(sorted(named | heard_by(definition) | {UNKNOWN, ""})),
        {name: _message(update.fn) for name, update in sorted(found.updates.items(), key=str) if name is not None}
        | {UNKNOWN: None},
        (*sorted(name for name in found.queries if name is not None), UNKNOWN),
    )


def name_of(definition: type[Any]) -> str:
    return str(workflow._Definition.must_from_class(definition).name)


def heard_by(definition: type[Any]) -> set[str]:
    """Names that the handlers of all signals compare with what came: a dynamic handler declares none."""
    methods = [m for owner in definition.__mro__ for m in vars(owner).values() if inspect.isfunction(m)]
    return {name for method in methods if _hears(method) for name in _compared(method)}


def _hears(method: Callable[..., Any]) -> bool:
    return list(inspect.signature(method).parameters)[1:] == ["name", "arguments"]


def _compared(method: Callable[..., Any]) -> Iterator[str]:
    names = inspect.unwrap(method).__globals__
    for node in ast.walk(ast.parse(textwrap.dedent(inspect.getsource(method)))):
        if isinstance(node, ast.Compare) and isinstance(node.left, ast.Name) and node.left.id == "name":
            for told in node.comparators:
                for one in told.elts if isinstance(told, ast.Tuple) else [told]:
                    yield str(one.value if isinstance(one, ast.Constant) else names[ast.unparse(one)])


def _message(handler: Callable[..., Any]) -> type[BaseModel] | None:
    plain = inspect.unwrap(handler)
    hints = get_type_hints(plain)
    models = [hints[name] for name in list(inspect.signature(plain).parameters)[1:]]
    assert len(models) <= 1, f"{handler.__qualname__} takes more than one message"
    return models[0] if models else None


WORKFLOWS = {name_of(definition): definition for definition in worker.WORKFLOWS}
