"""Which commands every function of workflow code makes, in which order, without running anything.

One function is a list of lines, indented by block:

    local activity store.register
    if
      timer
    call OrderPayment.watch

Lines say what a history can tell apart and no more: no conditions, no arguments but the activity, no timeouts. So an
early return or a changed condition that moves no line is not seen here; stored histories are for those.
"""

import ast
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass, field

from tests.replay.command_sources import Rooms, Source, last_name

STARTED = {
    "execute_activity": "activity", "execute_activity_method": "activity", "execute_activity_class": "activity",
    "start_activity": "activity", "start_activity_method": "activity", "start_activity_class": "activity",
    "execute_local_activity": "local activity", "execute_local_activity_method": "local activity",
    "execute_local_activity_class": "local activity", "start_local_activity": "local activity",
    "start_local_activity_method": "local activity", "start_local_activity_class": "local activity",
    "execute_child_workflow": "child workflow", "start_child_workflow": "child workflow",
    "patched": "patched", "deprecate_patch": "patched",
}  # fmt: skip
"""Calls of `temporalio.workflow` whose first argument says which one."""
NO_COMMAND = frozenset(
    {
        "now", "info", "time", "random", "uuid4", "memo", "set_current_details", "all_handlers_finished",
        "set_signal_handler", "set_query_handler", "set_update_handler", "get_external_workflow_handle",
        "in_workflow", "current_update_info",
    }
)  # fmt: skip
STARTS = frozenset({"create_task", "ensure_future", "gather"})
"""Where coroutines start is part of replay: one that starts earlier makes its commands earlier."""


@dataclass(frozen=True)
class Block:
    """Lines under a heading: `if`, `else`, `loop`, `try`, `except`, `finally`, `case`, `later`."""

    heading: str
    nodes: "tuple[Node, ...]"


@dataclass(frozen=True)
class Call:
    """`given`: what is handed over that may name a command, by the parameter it becomes."""

    functions: tuple[str, ...]
    given: Mapping[str, str] = field(default_factory=dict)


Node = str | Block | Call


class Reading:
    """One function, read in the order in which Python evaluates it."""

    def __init__(self, rooms: Rooms, activities: Mapping[str, str], source: Source) -> None:
        self._rooms = rooms
        self._activities = activities
        self._source = source

    def nodes(self) -> tuple[Node, ...]:
        return self._all(self._source.tree.body)

    def _all(self, parts: Iterable[ast.AST | None]) -> tuple[Node, ...]:
        return tuple(node for part in parts if part is not None for node in self._read(part))

    def _block(self, heading: str, parts: Iterable[ast.AST | None]) -> tuple[Node, ...]:
        nodes = self._all(parts)
        return (Block(heading, nodes),) if nodes else ()

    def _read(self, node: ast.AST) -> tuple[Node, ...]:  # noqa: PLR0911  one return a kind of node
        match node:
            case ast.FunctionDef() | ast.AsyncFunctionDef() | ast.ClassDef():
                return ()
            case ast.Call():
                return self._call(node)
            case ast.Await():
                return (*self._read(node.value), *(("await",) if self._unknown(node.value) else ()))
            case ast.Lambda():
                return self._block("later", [node.body])
            case ast.If():
                return (*self._read(node.test), *self._block("if", node.body), *self._block("else", node.orelse))
            case ast.IfExp():
                return (*self._read(node.test), *self._block("if", [node.body]), *self._block("else", [node.orelse]))
            case ast.While():
                return (*self._block("loop", [node.test, *node.body]), *self._all(node.orelse))
            case ast.For() | ast.AsyncFor():
                return (*self._read(node.iter), *self._block("loop", node.body), *self._all(node.orelse))
            case ast.ListComp() | ast.SetComp() | ast.GeneratorExp():
                return self._comprehension(node.generators, [node.elt])
            case ast.DictComp():
                return self._comprehension(node.generators, [node.key, node.value])
            case ast.Try():
                handlers = [block for h in node.handlers for block in self._block("except", h.body)]
                ends = (*self._block("else", node.orelse), *self._block("finally", node.finalbody))
                return (*self._block("try", node.body), *handlers, *ends)
            case ast.Match():
                cases = [block for c in node.cases for block in self._block("case", [c.guard, *c.body])]
                return (*self._read(node.subject), *cases)
        return self._all(ast.iter_child_nodes(node))

    def _comprehension(self, generators: Sequence[ast.comprehension], made: Sequence[ast.expr]) -> tuple[Node, ...]:
        first, *rest = generators
        more = [part for generator in rest for part in (generator.iter, *generator.ifs)]
        return (*self._read(first.iter), *self._block("loop", [*first.ifs, *more, *made]))

    def _call(self, call: ast.Call) -> tuple[Node, ...]:
        function = call.func
        before = self._all([function.value] if isinstance(function, ast.Attribute) else [function])
        given = [*call.args, *(keyword.value for keyword in call.keywords)]
        handed = tuple(node for value in given for node in (*self._read(value), *self._reference(value)))
        return (*before, *handed, *self._made(call, function))

    def _unknown(self, awaited: ast.expr) -> bool:
        """Something that is waited for without being a call that is read here: a task, or what was handed over."""
        if not isinstance(awaited, ast.Call):
            return True
        return not self._made(awaited, awaited.func) and not self._rooms.meant(self._source, awaited.func)

    def _reference(self, value: ast.expr) -> tuple[Node, ...]:
        """A function that is handed over, to be called later."""
        if isinstance(value, ast.Name) or (isinstance(value, ast.Attribute) and last_name(value.value) == "self"):
            strict = [s for s in self._rooms.meant(self._source, value) if s.tree.name not in ("__init__", "__call__")]
            if strict:
                return (Block("later", (Call(tuple(sorted(s.key for s in strict))),)),)
        return ()

    def _made(self, call: ast.Call, function: ast.expr) -> tuple[Node, ...]:
        name = last_name(function) or ""
        room = ast.unparse(function.value) if isinstance(function, ast.Attribute) else ""
        if room == "workflow":
            return self._command(name, call)
        if room == "asyncio":
            yields = name == "sleep" and ast.unparse(call.args[0]) == "0"
            text = "yield" if yields else "timer" if name == "sleep" else "start" if name in STARTS else ""
            return (text,) if text else ()
        if name == "signal" and room:
            return (f"signal {self._said(call.args[0]) or '?'}",)
        if ast.unparse(self._source.default(name) or function) == "workflow.wait_condition":
            return ("wait",)
        meant = self._rooms.meant(self._source, function)
        return (Call(tuple(sorted(s.key for s in meant)), self._handed(call, meant)),) if meant else ()

    def _command(self, name: str, call: ast.Call) -> tuple[Node, ...]:
        if name in STARTED:
            return (f"{STARTED[name]} {self._said(call.args[0]) or ast.unparse(call.args[0])}",)
        if name == "wait_condition":
            timed = [k for k in call.keywords if k.arg == "timeout" and ast.unparse(k.value) != "None"]
            return ("timer" if timed else "wait",)
        if name == "sleep":
            return ("timer",)
        return () if name in NO_COMMAND else (name.replace("_", " "),)

    def _handed(self, call: ast.Call, meant: Sequence[Source]) -> dict[str, str]:
        pairs = [(k.arg, k.value) for k in call.keywords if k.arg]
        for source in meant:
            pairs += zip(source.parameters, call.args, strict=False)
        return {name: said for name, value in pairs if (said := self._said(value))}

    def _said(self, value: ast.expr) -> str | None:
        """Which activity, workflow, signal or patch an argument names; `{name}` when the caller says."""
        match value:
            case ast.Constant(value=str(text)):
                return text
            case ast.Attribute() if (name := f"{last_name(value.value)}.{value.attr}") in self._activities:
                return self._activities[name]
            case ast.IfExp():
                return self._one_of([value.body, value.orelse])
            case ast.Name() if self._source.sees(value.id):
                return f"{{{value.id}}}"
            case ast.Name():
                return self._rooms.constant(self._source.module, value.id) or self._one_of(
                    self._source.assigned(value.id)
                )
        return None

    def _one_of(self, values: Iterable[ast.expr]) -> str | None:
        names = {said for value in values if not isinstance(value, ast.Name) and (said := self._said(value))}
        return " or ".join(sorted(names)) or None


def read(trees: Mapping[str, ast.Module], activities: Mapping[str, str]) -> tuple[dict[str, list[str]], dict[str, str]]:
    """Lines of every function that makes commands, by its key; and the keys of entries, by the name callers know."""
    rooms = Rooms(trees)
    nodes = {source.key: Reading(rooms, activities, source).nodes() for source in rooms.functions}
    makers = _closed({key for key, all_of in nodes.items() if _has_commands(all_of)}, nodes)
    wanted = _wanted_parameters(nodes, makers)
    lines = {key: _lines(nodes[key], makers, wanted) for key in sorted(makers)}
    entries = {f"{s.owner}: {s.entry}": s.key for s in rooms.functions if s.entry and s.key in makers}
    return lines, dict(sorted(entries.items()))


def _flat(nodes: Iterable[Node]) -> list[str | Call]:
    return [part for node in nodes for part in (_flat(node.nodes) if isinstance(node, Block) else [node])]


def _has_commands(nodes: Iterable[Node]) -> bool:
    return any(isinstance(part, str) for part in _flat(nodes))


def _closed(makers: set[str], nodes: Mapping[str, tuple[Node, ...]]) -> frozenset[str]:
    """With everybody who calls one of them."""
    calls = {key: {f for part in _flat(parts) if isinstance(part, Call) for f in part.functions}
             for key, parts in nodes.items()}  # fmt: skip
    while more := {key for key, called in calls.items() if key not in makers and called & makers}:
        makers |= more
    return frozenset(makers)


def _wanted_parameters(nodes: Mapping[str, tuple[Node, ...]], makers: frozenset[str]) -> dict[str, set[str]]:
    """The parameters of each function that name a command, here or further down."""
    wanted: dict[str, set[str]] = {key: set() for key in nodes}
    for key in nodes:
        wanted[key] |= {p.rpartition("{")[2][:-1] for p in _flat(nodes[key]) if isinstance(p, str) and p.endswith("}")}
    changed = True
    while changed:
        changed = False
        for key, parts in nodes.items():
            for part in _flat(parts):
                if isinstance(part, Call):
                    below = set().union(*(wanted[f] for f in part.functions if f in makers))
                    passed = {part.given[p][1:-1] for p in below if part.given.get(p, "").startswith("{")}
                    closures = [f for f in part.functions if f.startswith(f"{key}.")]
                    passed |= {p for f in closures for p in wanted[f] if p not in part.given}
                    changed |= not passed <= wanted[key]
                    wanted[key] |= passed
    return wanted


def _lines(nodes: Iterable[Node], makers: frozenset[str], wanted: Mapping[str, set[str]], depth: int = 0) -> list[str]:
    lines: list[str] = []
    for node in nodes:
        if isinstance(node, str):
            lines.append("  " * depth + node)
        elif isinstance(node, Block):
            if inner := _lines(node.nodes, makers, wanted, depth + 1):
                lines += ["  " * depth + node.heading, *inner]
        elif called := [f for f in node.functions if f in makers]:
            below = set().union(*(wanted[f] for f in called))
            given = ", ".join(f"{p}={said}" for p, said in sorted(node.given.items()) if p in below)
            lines.append("  " * depth + "call " + " or ".join(called) + (f" ({given})" if given else ""))
    return lines
