"""What every payment channel takes and tells. Each channel's `models.py` narrows it to its own numbers and limits.

Amounts in fen, times tz-aware.
"""

from abc import abstractmethod
from typing import Annotated, Literal

from pydantic import AwareDatetime, Field

from domain.order import Currency, Minor
from domain.strict import Strict


class CreatePayment(Strict):
    """`order_no` becomes out_trade_no. The same number with the same parameters may be created again."""

    order_no: str
    description: Annotated[str, Field(min_length=1, max_length=127)]
    amount_minor: int
    currency: Literal["CNY"] = "CNY"
    expires_at: AwareDatetime


class Trade(Strict):
    """A payment as its channel sees it."""

    order_no: str
    transaction_id: str | None = None
    amount_minor: Minor | None = None
    currency: Currency | None = None
    paid_at: AwareDatetime | None = None

    @property
    @abstractmethod
    def is_paid(self) -> bool:
        """The money has come."""


class RefundRequest(Strict):
    """`refund_no` is the idempotency key: reuse it on every repeat."""

    refund_no: str
    order_no: str
    refund_minor: int
    total_minor: int
    currency: Literal["CNY"] = "CNY"
    reason: Annotated[str, Field(max_length=80)] = ""
    transaction_id: str | None = None
    """Of a payment that is not the one offered under `order_no`: the channel finds it by its own number."""


class RefundResult(Strict):
    """A refund as its channel sees it."""

    refund_no: str
    order_no: str
    transaction_id: str
    refund_minor: Minor
    total_minor: Minor
    currency: Currency
    succeeded_at: AwareDatetime | None = None
