"""What goes wrong, drawn from one seed: the same seed draws the same faults for the same number of orders."""

from collections.abc import Sequence
from dataclasses import dataclass
from random import Random


@dataclass(frozen=True)
class Drawn:
    """One fault at one outside system for one order."""

    order_no: str
    sandbox: str
    operation: str
    fault: str
    times: int = 1


@dataclass(frozen=True)
class Chance:
    """How likely an order meets this fault."""

    share: float
    sandbox: str
    operation: str
    fault: str
    times: int = 1


CHANCES = (
    # Callbacks: a tenth doubled, a tenth overtaken by the next one, some late or lost for good.
    *(
        Chance(0.1, sandbox, "callback", fault, times=4)
        for sandbox in ("wechat", "qimen", "kuaidi100")
        for fault in ("duplicate_callback", "reorder_callback")
    ),
    Chance(0.03, "qimen", "callback", "delay_callback"),
    Chance(0.02, "wechat", "callback", "lost_callback"),
    # Calls: refused for a moment, done but not answered, cut off.
    Chance(0.05, "wechat", "create", "too_many"),
    Chance(0.05, "wechat", "create", "error_after"),
    Chance(0.05, "qimen", "push", "error_before"),
    Chance(0.05, "qimen", "push", "error_after"),
    Chance(0.03, "qimen", "push", "reset"),
    Chance(0.05, "tms", "book", "error_after"),
    Chance(0.03, "tms", "book", "garbage"),
    Chance(0.03, "kuaidi100", "subscribe", "error_before"),
)


def draw(seed: int, order_nos: Sequence[str], chances: Sequence[Chance] = CHANCES) -> list[Drawn]:
    random = Random(seed)
    return [
        Drawn(order_no, c.sandbox, c.operation, c.fault, c.times)
        for order_no in order_nos
        for c in chances
        if random.random() < c.share
    ]
