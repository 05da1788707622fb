"""Typed client of the order workflow, for backends in Python, the CLI and the console.

Calls go by name (`workflows/messages.py`, `workflows/order/messages.py`), so that a caller needs the messages and not
the workflow's code. Services in other languages use any Temporal SDK with the JSON contract in docs/contract/. Every
call ends in finite time.
"""

from datetime import timedelta
from typing import Any, Self, cast

from temporalio.client import Client
from temporalio.service import RPCError

from config.payload_keys import load_payload_keys
from config.settings import TemporalSettings
from domain.order import StartOrder, order_too_large
from domain.strict import Strict
from starter.clients.calls import ANSWER_TIMEOUT, Calls, short
from starter.clients.errors import OrderRefused, Unreachable
from starter.clients.proving import Prover, proved
from starter.clients.refusals import OrderCallErrors
from wire.converter import data_converter
from workflows.messages import ORDER_WORKFLOW, ResolveTicket, TicketAnswer, order_workflow_id
from workflows.order.changes.messages import AddressChanged, ChangeAddress, Requested, RequestMerge, RequestResplit
from workflows.order.holds.messages import HoldOrder, HoldPlaced, HoldReleased, ReleaseHold
from workflows.order.messages import (
    BookMoney,
    Cancelled,
    CancelOrder,
    ConfirmReceipt,
    MoneyBooked,
    OrderView,
    Placed,
    Refresh,
    Refreshed,
)

CONNECT_TIMEOUT = timedelta(seconds=5)


async def connect_temporal(settings: TemporalSettings) -> Client:
    """Encrypts with the payload keys of this process's settings. Raises `Unreachable`, `UnableToConfigure`."""
    converter = data_converter(None, load_payload_keys())
    try:
        return await Client.connect(
            **settings.connect_arguments(), data_converter=converter, connect_timeout=CONNECT_TIMEOUT
        )
    except (RuntimeError, RPCError, ValueError) as e:
        raise Unreachable(settings.temporal_address, short(e)) from None


class OrderClient:
    """Orders by number. Raises the errors of `starter.clients.errors` and nothing of Temporal's."""

    def __init__(
        self,
        temporal: Client,
        *,
        answer_timeout_s: float = ANSWER_TIMEOUT.total_seconds(),
        key: str | None = None,
        prover: Prover | None = None,
    ) -> None:
        """`temporal` as `connect_temporal` makes it. `prover`: who gives the commands
        (`starter/clients/proving.py`)."""
        self._temporal = temporal
        self._answer_timeout = timedelta(seconds=answer_timeout_s)
        self._key = key
        self._prover = prover

    def keyed(self, key: str | None) -> Self:
        """For one command, if there is a key: told again under it, it gets the first answer; another one is refused."""
        timeout_s = self._answer_timeout.total_seconds()
        return type(self)(self._temporal, answer_timeout_s=timeout_s, key=key, prover=self._prover)

    @classmethod
    async def connect(
        cls,
        settings: TemporalSettings,
        *,
        answer_timeout_s: float = ANSWER_TIMEOUT.total_seconds(),
        prover: Prover | None = None,
    ) -> Self:
        """A client of its own connection. Raises `Unreachable`, `UnableToConfigure`."""
        return cls(await connect_temporal(settings), answer_timeout_s=answer_timeout_s, prover=prover)

    async def start(self, order: StartOrder) -> Placed:
        """Start an order and wait until it is in the books, with its pay code.

        Raises `OrderRefused`, `DuplicateOrder` (also for an order that is already over), `NoAnswer`.
        """
        _insist_on_size(order)
        calls = self._calls(order.order_no)
        message = await self._signed(order, calls.workflow_id)
        call = calls.start(ORDER_WORKFLOW, message, "place", "the start", Placed)
        return cast(Placed, await call)

    async def start_nowait(self, order: StartOrder) -> str:
        """Start an order and return its workflow id at once: a refusal shows only in the order's own failure.

        Raises `DuplicateOrder`, `NoAnswer`; `OrderRefused` for one that is too large.
        """
        _insist_on_size(order)
        calls = self._calls(order.order_no)
        await calls.start_nowait(ORDER_WORKFLOW, await self._signed(order, calls.workflow_id), "the start")
        return calls.workflow_id

    async def _signed(self, order: StartOrder, workflow_id: str) -> StartOrder:
        """By who may start it: a service, for its buyer."""
        if self._prover is None:
            return order
        return await proved(self._prover, workflow_id, "start", order, order.buyer.buyer_id)

    async def cancel(self, order_no: str, message: CancelOrder) -> Cancelled:
        """Cancel what can still be cancelled. Raises `NotNow`, `OrderNotFound`, `NoAnswer` (as all changes do)."""
        return cast(Cancelled, await self._update(order_no, "cancel", message, Cancelled))

    async def confirm_receipt(self, order_no: str, message: ConfirmReceipt) -> None:
        """The buyer, or someone for them, has the goods."""
        await self._update(order_no, "confirm_receipt", message)

    async def resolve_ticket(self, order_no: str, message: ResolveTicket) -> TicketAnswer:
        """Answer an open ticket: try again, supply the result, or give up into the ticket's fallback. What is said of
        money is asked for: another person of finance decides."""
        answer = await self._update(order_no, "resolve_ticket", message, TicketAnswer)
        return cast(TicketAnswer, answer or TicketAnswer())

    async def refresh(self, order_no: str, message: Refresh) -> Refreshed:
        """Ask the outside systems now (R11); refused as TooOften within 5 s of the last time."""
        return cast(Refreshed, await self._update(order_no, "refresh", message, Refreshed))

    async def request_merge(self, order_no: str, message: RequestMerge) -> Requested:
        """Ask for children to be shipped together; another supervisor decides. `NotNow.type`: a `MergeCode`."""
        return cast(Requested, await self._update(order_no, "request_merge", message, Requested))

    async def request_resplit(self, order_no: str, message: RequestResplit) -> Requested:
        """Ask for children to be split by hand; another supervisor decides. `NotNow.type`: a `ReplanCode`."""
        return cast(Requested, await self._update(order_no, "request_resplit", message, Requested))

    async def change_address(self, order_no: str, message: ChangeAddress) -> AddressChanged:
        """Send everything that nobody has picked yet elsewhere; the answer names what goes to the old address."""
        return cast(AddressChanged, await self._update(order_no, "change_address", message, AddressChanged))

    async def hold(self, order_no: str, message: HoldOrder) -> HoldPlaced:
        """Let nothing of it leave, or nothing of one child. `NotNow.type`: `UnknownChild` for a child it has not."""
        return cast(HoldPlaced, await self._update(order_no, "hold", message, HoldPlaced))

    async def release(self, order_no: str, message: ReleaseHold) -> HoldReleased:
        """End a hold. `NotNow.type`: `NoSuchHold` for a number it does not know."""
        return cast(HoldReleased, await self._update(order_no, "release", message, HoldReleased))

    async def book_money(self, order_no: str, message: BookMoney) -> MoneyBooked:
        """Go on with a payment from outside as finance has approved: it goes back, or the order is paid."""
        return cast(MoneyBooked, await self._update(order_no, "book_money", message, MoneyBooked))

    async def view(self, order_no: str) -> OrderView:
        """The order as its workflow knows it this moment; needs a worker. Raises `OrderNotFound`, `NoAnswer`."""
        return cast(OrderView, await self._calls(order_no).view(OrderView))

    async def _update(self, order_no: str, name: str, message: Strict, result: type[Strict] | None = None) -> Any:
        return await self._calls(order_no).update(name, message, f"the {name.replace('_', ' ')}", result)

    def _calls(self, order_no: str) -> Calls:
        errors = OrderCallErrors(order_no)
        workflow_id = order_workflow_id(order_no)
        return Calls(self._temporal, workflow_id, errors, self._answer_timeout, self._key, self._prover)


def _insist_on_size(order: StartOrder) -> None:
    """As the order itself does, before anything is sent."""
    if why := order_too_large(order):
        raise OrderRefused(order.order_no, "InvalidOrder", (why,))
