"""Workflow code as its syntax trees tell it: functions, what names stand for, and which function a call may mean.

`self.method` is looked for in its class, functions by import, other methods by what the receiver's name is annotated
with or made from anywhere in the rooms read; where that is unknown, in every class that has the method.
"""

import ast
from collections.abc import Iterable, Iterator, Mapping
from dataclasses import dataclass, field

Function = ast.FunctionDef | ast.AsyncFunctionDef
ENTRIES = ("run", "signal", "update", "query")


@dataclass
class Source:
    """A function as it was read. `owner`: the class that it is a method of."""

    module: str
    name: str
    owner: str | None
    tree: Function
    key: str = ""
    local: dict[str, "Source"] = field(default_factory=dict)
    around: "Source | None" = None
    entry: str | None = None
    """As the server knows it: `signal facts`."""

    @property
    def parameters(self) -> tuple[str, ...]:
        given = self.tree.args
        names = tuple(a.arg for a in (*given.posonlyargs, *given.args, *given.kwonlyargs))
        return names[1:] if self.owner and names[:1] in (("self",), ("cls",)) else names

    def sees(self, name: str) -> bool:
        """A parameter, of its own or of a function around it."""
        return name in self.parameters or (self.around is not None and self.around.sees(name))

    def default(self, name: str) -> ast.expr | None:
        """What a parameter is when the caller says nothing."""
        given = self.tree.args
        plain = [*given.posonlyargs, *given.args]
        pairs = [*zip(plain[len(plain) - len(given.defaults) :], given.defaults, strict=True)]
        pairs += [(a, value) for a, value in zip(given.kwonlyargs, given.kw_defaults, strict=True) if value]
        return next((value for parameter, value in pairs if parameter.arg == name), None)

    def assigned(self, name: str) -> list[ast.expr]:
        """All that a variable may stand for, of the function or of one around it."""
        assigned = (node for node in ast.walk(self.tree) if isinstance(node, ast.Assign))
        found = [node.value for node in assigned if any(ast.unparse(target) == name for target in node.targets)]
        return found or (self.around.assigned(name) if self.around else [])


def activity_names(trees: Iterable[ast.Module]) -> dict[str, str]:
    """What a history calls every activity, by `Class.method`."""
    names: dict[str, str] = {}
    for tree in trees:
        for owner in (node for node in ast.walk(tree) if isinstance(node, ast.ClassDef)):
            for node in (part for part in owner.body if isinstance(part, Function)):
                for decorator in node.decorator_list:
                    if isinstance(decorator, ast.Call) and ast.unparse(decorator.func) == "activity.defn":
                        said = [ast.literal_eval(k.value) for k in decorator.keywords if k.arg == "name"]
                        names[f"{owner.name}.{node.name}"] = said[0] if said else node.name
    return names


class Rooms:
    """All functions, classes and what names stand for, in the modules given: `{dotted name: tree}`."""

    def __init__(self, trees: Mapping[str, ast.Module]) -> None:
        self.functions: list[Source] = []
        self.methods: dict[str, dict[str, Source]] = {}
        self.bases: dict[str, tuple[str, ...]] = {}
        self.of_module: dict[str, dict[str, Source]] = {module: {} for module in trees}
        self.imports: dict[str, dict[str, tuple[str, str]]] = {module: {} for module in trees}
        self.types: dict[str, set[str]] = {}
        """By the name of a variable or attribute, anywhere; empty: something that is not made here."""
        self.constants: dict[tuple[str, str], str] = {}
        for module, tree in trees.items():
            self._read(module, tree)
        for tree in trees.values():
            for node in ast.walk(tree):
                self._learn_types(node)
        self._name_all()

    def _read(self, module: str, tree: ast.Module) -> None:
        for node in ast.walk(tree):
            if isinstance(node, ast.ImportFrom) and node.module:
                for alias in node.names:
                    self.imports[module][alias.asname or alias.name] = (node.module, alias.name)
        for statement in tree.body:
            if isinstance(statement, Function):
                self.of_module[module][statement.name] = self._add(module, statement, None)
            elif isinstance(statement, ast.ClassDef):
                self.bases[statement.name] = tuple(ast.unparse(base).partition("[")[0] for base in statement.bases)
                methods = self.methods.setdefault(statement.name, {})
                for part in statement.body:
                    if isinstance(part, Function):
                        methods[part.name] = self._add(module, part, statement.name)
            elif isinstance(statement, ast.Assign) and isinstance(statement.value, ast.Constant):
                for target in statement.targets:
                    if isinstance(target, ast.Name) and isinstance(statement.value.value, str):
                        self.constants[module, target.id] = statement.value.value

    def _add(self, module: str, tree: Function, owner: str | None, around: Source | None = None) -> Source:
        kinds = {
            ast.unparse(decorator).partition("(")[0].removeprefix("workflow.") for decorator in tree.decorator_list
        }
        entry = next((f"{kind} {tree.name}" for kind in ENTRIES if kind in kinds), None)
        name = f"{around.name}.{tree.name}" if around else tree.name
        source = Source(module, name, owner, tree, around=around, entry=entry)
        self.functions.append(source)
        for node in nested(tree):
            source.local[node.name] = self._add(module, node, owner, source)
        return source

    def _learn_types(self, node: ast.AST) -> None:
        if isinstance(node, ast.arg) and node.annotation:
            self._learn(node.arg, node.annotation)
        elif isinstance(node, ast.AnnAssign):
            self._learn(last_name(node.target), node.annotation)
        elif isinstance(node, ast.Assign) and isinstance(node.value, ast.Call):
            for target in node.targets:
                self._learn(last_name(target), node.value.func)
        elif isinstance(node, Function) and node.returns:
            self._learn(node.name, node.returns)

    def _learn(self, name: str | None, said: ast.expr) -> None:
        texts = [n for n in ast.walk(said) if isinstance(n, ast.Constant) and isinstance(n.value, str)]
        names = {n.id for n in ast.walk(said) if isinstance(n, ast.Name)}
        names |= {word for n in texts for word in str(n.value).replace("[", " ").replace("]", " ").split()}
        if name and names - {"Any", "object"}:
            self.types.setdefault(name, set()).update(names & self.methods.keys())

    def _name_all(self) -> None:
        """Keys that a moved file does not change: class and function; the module's own name where two are alike."""
        plain = [f"{s.owner}.{s.name}" if s.owner else s.name for s in self.functions]
        for source, key in zip(self.functions, plain, strict=True):
            source.key = key if plain.count(key) == 1 else f"{source.module.rpartition('.')[2]}:{key}"
        taken = [source.key for source in self.functions]
        for source in self.functions:
            if taken.count(source.key) > 1:
                source.key = f"{source.module}:{source.key.rpartition(':')[2]}"

    def method(self, owner: str, name: str) -> Source | None:
        if found := self.methods.get(owner, {}).get(name):
            return found
        return next((m for base in self.bases.get(owner, ()) if (m := self.method(base, name))), None)

    def overriding(self, owner: str, name: str) -> Iterator[Source]:
        for child, bases in self.bases.items():
            if owner in bases:
                if found := self.methods[child].get(name):
                    yield found
                yield from self.overriding(child, name)

    def named(self, module: str, name: str) -> list[Source]:
        """What a bare name means in a module: a function, or the making of a class."""
        if found := self.of_module[module].get(name):
            return [found]
        room, said = self.imports[module].get(name, (module, name))
        if found := self.of_module.get(room, {}).get(said):
            return [found]
        made = self.method(said, "__init__")
        return [made] if made else []

    def constant(self, module: str, name: str) -> str | None:
        return self.constants.get((module, name)) or self.constants.get(self.imports[module].get(name, ("", "")))

    def meant(self, source: Source, function: ast.expr) -> list[Source]:
        """All functions of these rooms that a call of `function` within `source` may run."""
        if isinstance(function, ast.Name):
            found = source.local.get(function.id)
            return [found] if found else self.named(source.module, function.id) or self._callable(function.id)
        if not isinstance(function, ast.Attribute):
            return []
        name, receiver = function.attr, last_name(function.value)
        if source.owner and isinstance(function.value, ast.Name) and receiver in ("self", "cls"):
            return self._methods(source.owner, name) or self._callable(name)
        if source.owner and ast.unparse(function.value) == "super()":
            return [m for base in self.bases[source.owner] if (m := self.method(base, name))]
        owners = {receiver} if receiver in self.methods else self.types.get(receiver or "")
        if owners is None or any("Protocol" in self.bases[owner or ""] for owner in owners):
            return [methods[name] for methods in self.methods.values() if name in methods] or self._callable(name)
        known = {m.key: m for owner in owners for m in self._methods(owner or "", name)}
        return list(known.values()) or self._callable(name)

    def _methods(self, owner: str, name: str) -> list[Source]:
        """Of a class, and of those that build on it."""
        own = self.method(owner, name)
        return [*([own] if own else []), *self.overriding(owner, name)]

    def _callable(self, name: str) -> list[Source]:
        """An object that is called like a function."""
        return [m for owner in sorted(self.types.get(name, ())) if (m := self.method(owner, "__call__"))]


def nested(tree: Function) -> Iterator[Function]:
    """Functions defined directly within."""
    waiting: list[ast.AST] = list(tree.body)
    while waiting:
        node = waiting.pop(0)
        if isinstance(node, Function):
            yield node
        elif not isinstance(node, ast.Lambda | ast.ClassDef):
            waiting += ast.iter_child_nodes(node)


def last_name(node: ast.AST) -> str | None:
    """What a receiver is called: `self.book.parcels[n]` is `parcels`."""
    match node:
        case ast.Name():
            return node.id
        case ast.Attribute():
            return node.attr
        case ast.Subscript() | ast.Await() | ast.Starred():
            return last_name(node.value)
        case ast.Call():
            return last_name(node.func)
    return None
