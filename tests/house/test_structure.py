"""Rooms have inner walls: few files a folder, one meaning a class name, and no circle of imports anywhere."""

import ast
from collections import Counter, defaultdict
from collections.abc import Iterator, Mapping
from graphlib import CycleError, TopologicalSorter
from pathlib import Path

import pytest

MOST_MODULES = 20
"""In one folder; `__init__.py` is not counted."""
PRODUCT = {"activities", "config", "console", "domain", "providers", "relay", "starter", "store", "wire", "workflows"}
SAME_KIND = (frozenset({"wechat", "alipay"}), frozenset({"kuaidi100", "sf"}), frozenset({"sf", "tms"}))
"""Providers of one kind call the same role by the same name: know one adapter, know the other."""
TWO_ENDS = {
    "DecisionRefused", "DuplicateOrder", "NoSuchReturn", "OrderRefused", "PayableMismatch", "ReturnRefused",
}  # fmt: skip
"""A class of the store's errors and the class that a caller gets for it: the name is the error type on the wire."""

ONE_WORD = {
    "CreatePayment": "the message of an activity, and the request that it becomes at either channel",
    "Parcel": "a message of a return's contract bears the name, and the object of an order workflow is called so",
}


def dotted(path: Path, root: Path) -> str:
    return ".".join(path.relative_to(root).with_suffix("").parts).removesuffix(".__init__")


def test_a_folder_is_seen_at_a_glance(python_files: list[Path], root: Path) -> None:
    sizes = Counter(
        str(path.parent.relative_to(root))
        for path in python_files
        if path.name != "__init__.py" and "tests" not in path.relative_to(root).parts
    )
    assert {folder: size for folder, size in sizes.items() if size > MOST_MODULES} == {}


def test_a_class_name_means_one_thing(python_files: list[Path], root: Path) -> None:
    homes: dict[str, list[tuple[str, ...]]] = defaultdict(list)
    for path in python_files:
        if (parts := path.relative_to(root).parts)[0] in PRODUCT:
            for node in ast.walk(ast.parse(path.read_text())):
                if isinstance(node, ast.ClassDef):
                    homes[node.name].append(parts)
    twice = {name: places for name, places in homes.items() if len(places) > 1 and not allowed(name, places)}
    assert {name: ["/".join(place) for place in places] for name, places in twice.items()} == {}
    assert {name for name in {*TWO_ENDS, *ONE_WORD} if len(homes[name]) < 2} == set()


def allowed(name: str, places: list[tuple[str, ...]]) -> bool:
    if name in ONE_WORD:
        return len(places) == 2
    if name in TWO_ENDS:
        return sum(place[0] == "store" for place in places) == 1 and len(places) == 2
    adapters = [place[1] for place in places if place[0] == "providers" and len(place) == 3]
    return len(adapters) == len(places) == len(set(adapters)) and any(set(adapters) <= kind for kind in SAME_KIND)


def test_adapters_of_one_kind_may_share_a_name_and_others_may_not() -> None:
    wechat, alipay, sf = (("providers", kind, "wire.py") for kind in ("wechat", "alipay", "sf"))
    assert allowed("Wire", [wechat, alipay])
    assert not allowed("Wire", [wechat, sf])
    assert not allowed("Wire", [wechat, alipay, ("providers", "wire.py")])
    assert not allowed("Wire", [wechat, wechat])


def imports(sources: Mapping[str, str]) -> dict[str, set[str]]:
    """What every module imports of the others, wherever the statement stands: within functions and for types, too."""
    return {module: {*imported(module, source, sources)} - {module} for module, source in sources.items()}


def imported(module: str, source: str, known: Mapping[str, str]) -> Iterator[str]:
    for node in ast.walk(ast.parse(source)):
        if isinstance(node, ast.Import):
            yield from (alias.name for alias in node.names if alias.name in known)
        elif isinstance(node, ast.ImportFrom) and not node.level:
            for alias in node.names:
                within = f"{node.module}.{alias.name}"
                yield from [name for name in (within, node.module or "") if name in known][:1]


def circle(graph: Mapping[str, set[str]]) -> list[str]:
    """One circle of imports, from its first module back to it; empty when there is none."""
    try:
        TopologicalSorter(graph).prepare()
    except CycleError as error:
        return list(error.args[1])
    return []


def test_no_imports_go_in_a_circle(python_files: list[Path], root: Path) -> None:
    assert circle(imports({dotted(path, root): path.read_text() for path in python_files})) == []


@pytest.mark.parametrize(
    "back", ["import a", "from a import x", "def f():\n    from a import x", "if TYPE_CHECKING:\n    from a import X"]
)
def test_a_circle_is_noticed_however_it_is_closed(back: str) -> None:
    assert {*circle(imports({"a": "from b import c", "b": "", "b.c": back}))} == {"a", "b.c"}
    assert circle(imports({"a": "from b import c", "b": "", "b.c": ""})) == []
