"""What the store refuses about returns."""

from collections.abc import Sequence

from domain.returns.admission import Refusal
from store.errors import OrderRefused, StoreError


class ReturnRefused(OrderRefused):
    """The application does not become a case. All reasons at once; the refusal has its audit row already."""

    def __init__(self, return_no: str, refusals: Sequence[Refusal]) -> None:
        self.refusals = tuple(refusals)
        reasons = "; ".join(f"{r.code}: {r.text_en}" for r in refusals)
        super().__init__(f"return {return_no} is not admitted: {reasons}")


class ReturnChanged(OrderRefused):
    def __init__(self, return_no: str) -> None:
        super().__init__(f"return {return_no} exists with another content; take a new number for a new application")


class NoSuchReturn(OrderRefused):
    def __init__(self, return_no: str) -> None:
        super().__init__(f"return {return_no} is not in the books; apply for it first")


class CannotReopen(OrderRefused):
    """The units of the closed case are gone (another case or refund has them), or it is not closed. For a person."""


class PayoutRefused(OrderRefused):
    """More than is held for the case, units that it does not have, or a case that let go of them."""


class UnknownCode(StoreError):
    """No case has this return code. The miss has been counted."""


class TooManyGuesses(StoreError):
    """Refused without a look: too many codes that nobody has (abuse case 65)."""

    def __init__(self, who: str, retry_after_s: int) -> None:
        self.retry_after_s = retry_after_s
        super().__init__(f"{who} has tried too many unknown return codes; try again in {retry_after_s} s")
