"""What can go wrong with a case on the people's side. Every text says what could not be done, and what to do next."""

from collections.abc import Mapping
from typing import Any

from starter.clients.errors import OrderError


class ReturnError(OrderError):
    """Root: nothing was changed, unless the text says that this is unknown."""

    def __init__(self, return_no: str, text: str) -> None:
        super().__init__(return_no, text)
        self.return_no = return_no


class ReturnRefused(ReturnError):
    """The application is not a case. `reasons`: all of them, each with `code`, `line_id`, `text_en`, `text_zh`.

    `type`: ReturnRefused, InvalidReturn, ReturnChanged. Final: the same application is refused again.
    """

    def __init__(self, return_no: str, type: str, text: str, details: tuple[Any, ...]) -> None:
        self.type = type
        self.reasons: tuple[Mapping[str, Any], ...] = tuple(d for d in details if isinstance(d, Mapping))
        self.codes = tuple(str(r.get("code", "")) for r in self.reasons)
        told = "; ".join(f"{r.get('code')}: {r.get('text_en')} / {r.get('text_zh')}" for r in self.reasons) or text
        super().__init__(return_no, f"return {return_no} was refused ({type}): {told}")


class ReturnExists(ReturnError):
    def __init__(self, return_no: str) -> None:
        look = f"look with `oms return show {return_no}`; a new application takes a new number"
        super().__init__(return_no, f"return {return_no} exists already: {look}")


class NoSuchReturn(ReturnError):
    def __init__(self, return_no: str) -> None:
        super().__init__(return_no, f"there is no return {return_no}; look with `oms return list`")


class StepRefused(ReturnError):
    """The case does not take this step now. `type`: NotNow, FORBIDDEN, SAME_PERSON, UNKNOWN_CODE, NOT_LEFT, Ended, a
    `RefusalCode` of approvals, …"""

    def __init__(self, return_no: str, type: str, reason: str) -> None:
        super().__init__(return_no, f"return {return_no} did not take it ({type}): {reason}")
        self.type, self.reason = type, reason
