"""Money of an order that moved without us: what was found, and what people may decide about it.

A refund made by hand in the merchant's back office, a second payment or one at another channel, a chargeback: each is
found once, whoever tells it and however often, is one ticket, and counts in the books only after a decision.
"""

from datetime import timedelta, timezone
from enum import StrEnum
from typing import Annotated, Self

from pydantic import AwareDatetime, Field, model_validator

from domain.facts import Fact, Kind
from domain.order import Currency, Id, Minor, Text
from domain.refunds.chargebacks import ENDS, ChargebackState
from domain.strict import Strict

SHANGHAI = timezone(timedelta(hours=8))


class OutsideKind(StrEnum):
    REFUND = "refund"
    PAYMENT = "payment"
    CHARGEBACK = "chargeback"


class BookAs(StrEnum):
    """What a person may decide: money of which kind counts as what."""

    REFUND = "book_refund"
    """Given back: for named units, or, without units, as goodwill or freight."""
    GIVE_BACK = "give_back"
    """Goes back to the payer through the channel that took it."""
    PAYMENT = "book_payment"
    """It is the order's payment."""
    CHARGEBACK = "book_chargeback"
    """In dispute until the bank has decided."""


ANSWERS: dict[OutsideKind, tuple[BookAs, ...]] = {
    OutsideKind.REFUND: (BookAs.REFUND,),
    OutsideKind.PAYMENT: (BookAs.GIVE_BACK, BookAs.PAYMENT),
    OutsideKind.CHARGEBACK: (BookAs.CHARGEBACK,),
}
_KINDS = {
    Kind.REFUND_SUCCEEDED: OutsideKind.REFUND,
    Kind.PAYMENT_SUCCEEDED: OutsideKind.PAYMENT,
    Kind.CHARGEBACK_OPENED: OutsideKind.CHARGEBACK,
}
"""Facts that say that money has moved, or is about to."""
_WORDS = {
    OutsideKind.REFUND: "refund {number}, which nobody asked for here",
    OutsideKind.PAYMENT: "payment {number}, which is not the order's",
    OutsideKind.CHARGEBACK: "chargeback {number}: the buyer's bank takes money back",
}
_MEANS = {
    OutsideKind.REFUND: "it counts as nothing: the books show less given back than the buyer has",
    OutsideKind.PAYMENT: "it counts as nothing: a person has given it back at the channel, or will",
    OutsideKind.CHARGEBACK: "it counts as nothing: refunds of the order go out again",
}


class OutsideMoney(Strict):
    """`number`: the channel's own of the refund, the payment (its transaction) or the chargeback; `key`: of the fact
    that told it; `amount_minor` None: the channel tells none; `transaction_id`: the payment that it is of."""

    kind: OutsideKind
    source: Id
    number: Annotated[str, Field(min_length=1, max_length=200)]
    key: str
    transaction_id: str | None = None
    merchant_id: str = ""
    amount_minor: Minor | None = None
    currency: Currency | None = None
    occurred_at: AwareDatetime
    why: str = ""
    """Why it is not the order's own, and what the source says of it."""

    @property
    def told(self) -> str:
        """In one sentence, with number, channel, amount and time (Shanghai)."""
        amount = "an amount that was not told" if self.amount_minor is None else yuan(self.amount_minor, self.currency)
        what = _WORDS[self.kind].format(number=self.number)
        why = f"; {self.why}" if self.why else ""
        return (
            f"{self.source} tells of {what}: {amount} at {self.occurred_at.astimezone(SHANGHAI):%Y-%m-%d %H:%M:%S}{why}"
        )

    @property
    def dropped_means(self) -> str:
        """What answering its ticket without booking it comes to."""
        return _MEANS[self.kind]


class BankWord(Strict):
    """How a chargeback ended, as a source tells it; `money` is what was disputed."""

    outcome: ChargebackState
    money: OutsideMoney

    @property
    def told(self) -> str:
        money = self.money
        amount = yuan(money.amount_minor or 0, money.currency)
        return f"{money.source} says that chargeback {money.number} of {amount} was {self.outcome}"


def bank_word(fact: Fact) -> BankWord | None:
    """None: the fact tells no end of a chargeback."""
    outcome = ENDS.get(fact.kind)
    if outcome is None:
        return None
    return BankWord(outcome=outcome, money=_money(fact, OutsideKind.CHARGEBACK, f"it was {outcome}"))


def outside_money(fact: Fact, why: str = "") -> OutsideMoney | None:
    """None: the fact moves no money."""
    kind = _KINDS.get(fact.kind)
    return None if kind is None else _money(fact, kind, why)


def _money(fact: Fact, kind: OutsideKind, why: str) -> OutsideMoney:
    numbers = {
        OutsideKind.REFUND: fact.refund_no, OutsideKind.PAYMENT: fact.transaction_id,
        OutsideKind.CHARGEBACK: fact.chargeback_no,
    }  # fmt: skip
    return OutsideMoney(
        kind=kind,
        source=fact.source,
        number=numbers[kind] or fact.key,
        key=fact.key,
        transaction_id=fact.transaction_id,
        merchant_id=fact.merchant_id or "",
        amount_minor=fact.amount_minor,
        currency=fact.currency,
        occurred_at=fact.occurred_at,
        why="; ".join(text for text in (why, fact.note) if text)[:300],
    )


def ticket_text(money_no: int, order_no: str, money: OutsideMoney) -> str:
    """What a person reads: what was found, and what can be done."""
    answers = " or ".join(f"`oms money ask {money_no} {answer}`" for answer in ANSWERS[money.kind])
    return f"order {order_no}: {money.told}. Compare with the channel's own books, then {answers}"


class MoneyBooking(Strict):
    """What a person asks to be booked; the content of its approval. `units`: of a refund, those that it pays for."""

    money_no: int
    order_no: str
    book_as: BookAs
    channel: str
    number: str
    amount_minor: Annotated[int, Field(gt=0)]
    currency: Currency
    units: dict[Id, Annotated[int, Field(gt=0)]] = Field(default_factory=dict)
    evidence: Text
    """What was compared: the channel's page, a statement, a letter."""

    @model_validator(mode="after")
    def _only_refunds_are_for_units(self) -> Self:
        if self.units and self.book_as is not BookAs.REFUND:
            raise ValueError(f"{self.book_as} names no units")
        return self

    @property
    def refund_no(self) -> str:
        """Of what the books call the refund: the channel's own number of one that was made there, else ours."""
        return self.number if self.book_as is BookAs.REFUND else f"R{self.order_no}-M{self.money_no}"


def yuan(minor: int, currency: str | None) -> str:
    """`12900` fen as `129.00 CNY`."""
    return f"{minor // 100}.{minor % 100:02d} {currency or 'CNY'}"
