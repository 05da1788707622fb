"""A payment from outside that a decision makes count: read from the books, never from who sends the message."""

from pydantic import AwareDatetime
from temporalio import activity
from temporalio.exceptions import ApplicationError

from domain.order import Id
from domain.records import Payment
from domain.refunds.outside import BookAs
from domain.strict import Strict
from store.errors import DecisionRefused, OrderRefused
from store.outside_money.booking import OutsideMoneyStore


class BookPayment(Strict):
    order_no: Id
    money_no: int
    by: Id
    at: AwareDatetime


class BookedPayment(Strict):
    """`refund_no`: under which it goes back, if it does."""

    book_as: BookAs
    payment: Payment
    refund_no: str


class OutsideMoneyActivities:
    def __init__(self, store: OutsideMoneyStore) -> None:
        self._store = store

    @activity.defn(name="store.book_outside_payment")
    async def book_payment(self, message: BookPayment) -> BookedPayment:
        """May be repeated. Raises (final) BookingRefused, DecisionRefused."""
        try:
            book_as, payment, refund_no = await self._store.book_payment(
                message.money_no, message.order_no, message.by, message.at
            )
        except (OrderRefused, DecisionRefused) as error:
            raise ApplicationError(str(error), type=type(error).__name__, non_retryable=True) from error
        return BookedPayment(book_as=book_as, payment=payment, refund_no=refund_no)
