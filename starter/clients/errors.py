"""What can go wrong on the people's side. Every text says what could not be done, with the order, and what to do."""

from typing import Literal


class OrderError(Exception):
    """Root: the order was not started or not changed, unless the text says that this is unknown."""

    def __init__(self, order_no: str, text: str) -> None:
        super().__init__(text)
        self.order_no = order_no


class OrderRefused(OrderError):
    """The order is not acceptable and was not taken.

    `type`: InvalidOrder, UnknownSku, PayableMismatch, CurrencyNotAccepted. `reasons`: one line per fault.
    Final: sending the same message again is refused again.
    """

    def __init__(self, order_no: str, type: str, reasons: tuple[str, ...]) -> None:
        super().__init__(order_no, f"order {order_no} was refused ({type}): {'; '.join(reasons)}")
        self.type, self.reasons = type, reasons


class DuplicateOrder(OrderError):
    """The order number, or its (channel, channel order number), is taken."""

    def __init__(self, order_no: str, text: str | None = None) -> None:
        look = f"look with `oms order show {order_no}`; if it was refused before, send it under a new number"
        super().__init__(order_no, text or f"order {order_no} already exists: {look}")


class OrderNotFound(OrderError):
    def __init__(self, order_no: str) -> None:
        super().__init__(order_no, f"there is no order {order_no}; check the number with `oms order list`")


class NotNow(OrderError):
    """The order refuses this change in its present state.

    `type`: NotNow, NoSuchTicket, BadResult, TooOften, Busy, or Ended (the order is over and takes no changes).
    """

    def __init__(self, order_no: str, type: str, reason: str) -> None:
        super().__init__(order_no, f"order {order_no} did not take the change ({type}): {reason}")
        self.type, self.reason = type, reason


class CommandRefused(OrderError):
    """Whoever gives the command is not proven, or may not give it. `type`: a `ProofCode`. Nothing was changed."""

    def __init__(
        self, number: str, type: str, reason: str, *, of: Literal["order", "return", "change of", "desk:"] = "order"
    ) -> None:
        super().__init__(number, f"{of} {number} did not admit the command ({type}): {reason}")
        self.type, self.reason = type, reason


class NoAnswer(OrderError):
    """Temporal or the worker did not answer in time. Whether the request took effect is unknown: look, then decide."""

    def __init__(
        self, number: str, what: str, detail: str, *, of: Literal["order", "return", "change of"] = "order"
    ) -> None:
        look = f"look with `oms {of} show {number}` before trying again"
        super().__init__(number, f"{what} of {of} {number} has no answer ({detail}); {look}")


class Unreachable(OrderError):
    """Temporal cannot be reached, so nothing was sent."""

    def __init__(self, address: str, detail: str) -> None:
        super().__init__("", f"Temporal at {address} cannot be reached ({detail}); start the stack with `make up`")
