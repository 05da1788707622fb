"""Goods go to whoever paid first and can be served whole."""

from domain.fulfilment.backorders import Waiting, serve

A, B = ("A", "W"), ("B", "W")


def waiting(name: str, **needs: int) -> Waiting:
    return Waiting(name, f"{name}-01", {(sku, "W"): units for sku, units in needs.items()})


def names(children: tuple[Waiting, ...]) -> list[str]:
    return [child.order_no for child in children]


def test_who_paid_first_is_served_first() -> None:
    served = serve([waiting("one", A=2), waiting("two", A=2)], {A: 3})
    assert names(served.children) == ["one"]
    assert served.left == {A: 1}


def test_one_that_cannot_be_served_whole_takes_nothing_and_holds_nobody_up() -> None:
    served = serve([waiting("one", A=1, B=1), waiting("two", A=2), waiting("three", B=1)], {A: 2})
    assert names(served.children) == ["two"]
    assert served.left == {A: 0}


def test_nobody_waits_for_nothing() -> None:
    assert serve([], {A: 2}).left == {A: 2}
