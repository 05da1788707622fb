"""A second payment, or one at another channel, after finance has said what it counts as (`docs/operations.md`).

The books decide and keep it first (`store/outside_money/`); then the order goes on with it: the money goes back
through the channel that took it, or the order is paid.
"""

from temporalio import workflow
from temporalio.exceptions import ApplicationError

from activities.money.outside_money import BookPayment, OutsideMoneyActivities
from domain.records import Payment
from domain.refunds.outside import BookAs
from workflows.durable.branches import Branches
from workflows.durable.carrying import ByType, Table
from workflows.durable.commands import repeatable, unless_done
from workflows.durable.local_steps import in_store
from workflows.durable.proofs import proven
from workflows.durable.raw_messages import well_formed
from workflows.order.changes.handlers import ChangeHandlers
from workflows.order.messages import BookMoney, MoneyBooked
from workflows.order.payment import OrderPayment
from workflows.order.state import OrderState
from workflows.refunds.refunds import Refunds


class OutsidePayments:
    CARRIED = Table(
        _done=ByType(list[int], sorted, set),
        left={"_state": "wiring", "_payment": "its own part", "_refunds": "its own part", "_branches": "wiring"},
    )

    def __init__(self, state: OrderState, payment: OrderPayment, refunds: Refunds, branches: Branches) -> None:
        self._state = state
        self._payment = payment
        self._refunds = refunds
        self._branches = branches
        self._done: set[int] = set()

    def check(self, message: BookMoney) -> None:
        if message.money_no in self._done:
            raise ApplicationError(f"M{message.money_no} is booked already", type="NotNow")

    async def book(self, message: BookMoney) -> MoneyBooked:
        """Raises `ApplicationError` for what is not approved, or does not fit any more."""
        self._done.add(message.money_no)
        await self._state.flushed()  # the books judge by what this order knows
        try:
            booked = await in_store(
                OutsideMoneyActivities.book_payment,
                BookPayment(order_no=self._state.order_no, money_no=message.money_no, by=message.by, at=workflow.now()),
                summary=f"book M{message.money_no}",
            )
        except ApplicationError as error:
            self._done.discard(message.money_no)
            raise ApplicationError(error.message, type="NotNow") from None
        payment = booked.payment
        if booked.book_as is BookAs.PAYMENT:
            self._takes(payment)
            return MoneyBooked(money_no=message.money_no)
        number = booked.refund_no
        self._state.further(payment, number)
        self._branches.take_on(
            self._refunds.give_back(number, payment.amount_minor, "another payment", {}, payment_key=payment.key)
        )
        return MoneyBooked(money_no=message.money_no, refund_no=number)

    def _takes(self, payment: Payment) -> None:
        if not self._payment.paid:
            self._payment.decided(payment)
            return
        if (own := self._state.payment) is not None and own.key == payment.key:
            return  # the channel itself has told of it in this very moment
        # The order's own payment came in this very moment; to give this one back was not what finance said.
        self._state.further(payment, "")
        self._state.tickets.open(
            payment.channel, "refund of a second payment",
            f"payment {payment.transaction_id} of {payment.amount_minor} was booked as the order's while its own came",
            give_up_means="a person has given it back at the channel", actions=("give_up",), severity="urgent",
        )  # fmt: skip


class OutsideMoneyHandlers(ChangeHandlers):
    _outside_payments: OutsidePayments

    @workflow.update
    @proven("order.book_money", "_check_money")
    @repeatable("_check_money")
    async def book_money(self, message: BookMoney) -> MoneyBooked:
        """Answers once the books have it: the money is on its way back, or the order is paid."""
        return await self._outside_payments.book(message)

    @book_money.validator
    @well_formed
    @unless_done
    def _check_money(self, message: BookMoney) -> None:
        self._check_registered()
        self._outside_payments.check(message)
