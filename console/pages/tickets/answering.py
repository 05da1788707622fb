"""An answer to a ticket on its way to whoever waits for it: the workflow, proven; or the books, where none does."""

from collections.abc import Mapping
from datetime import datetime
from decimal import Decimal, InvalidOperation
from typing import Any, Literal
from zoneinfo import ZoneInfo

from babel.numbers import get_currency_precision

from console.session.user import User
from console.wiring import Wiring
from domain.access.authority import MONEY, is_money_step
from domain.records import TicketResolution
from starter.clients.errors import NotNow
from starter.clients.return_errors import StepRefused
from starter.clients.ticket_results import read_result
from store.tickets.tickets import TicketRow, TicketStore
from workflows.messages import ResolveTicket, TicketAnswer

Action = Literal["retry", "supply", "give_up"]
CHINA = ZoneInfo("Asia/Shanghai")
MOST_MINOR = 10**13


def may_answer(user: User, ticket: TicketRow, action: str) -> bool:
    """As the table of authority says it; a case's tickets have the same rows as an order's."""
    about_money = action != "retry" and is_money_step(ticket.system, ticket.step)
    return user.may_give("order.resolve_ticket" + (MONEY if about_money else ""))


async def answer(wiring: Wiring, user: User, ticket: TicketRow, message: ResolveTicket, key: str) -> TicketAnswer:
    """`key`: of this one answer, so that it may be sent again. Raises what clients and the store raise."""
    if ticket.outside or ticket.order_no is None:
        await _note_it(wiring, message)
        return TicketAnswer()
    store = TicketStore(wiring.pool)
    return_no = await store.case_of(ticket.ticket_id)
    try:
        if return_no is not None:
            return await (await user.returns()).keyed(key).resolve_ticket(return_no, message)
        return await (await user.orders()).keyed(key).resolve_ticket(ticket.order_no, message)
    except (NotNow, StepRefused) as error:
        if error.type != "Ended":
            raise
        await _note_it(wiring, message)  # it outlived its order or case
        return TicketAnswer()


async def _note_it(wiring: Wiring, message: ResolveTicket) -> None:
    resolution = TicketResolution(
        ticket_id=message.ticket_id, action=message.action, remark=message.remark, resolved_by=message.by,
        result=message.result,
    )  # fmt: skip
    await TicketStore(wiring.pool).resolve_outside(resolution, wiring.now())


def result_of(ticket: TicketRow, said: Mapping[str, str]) -> dict[str, Any]:
    """What is supplied, out of a form. Raises `ValueError`."""
    currency = said.get("currency") or "CNY"
    return read_result(
        ticket.step, {**said, "currency": currency}, channel=ticket.system, order_no=ticket.order_no or "",
        amount_minor=minor_of(said["amount"], currency) if said.get("amount") else None,
        at=datetime.fromisoformat(said["occurred_at"]).replace(tzinfo=CHINA) if said.get("occurred_at") else None,
    )  # fmt: skip


def minor_of(text: str, currency: str) -> int:
    """An amount as people write it, 1,234.50, in the smallest unit. Raises `ValueError`."""
    try:
        amount = Decimal(text.strip().replace(",", "").removeprefix("¥")).scaleb(get_currency_precision(currency))
        minor = int(amount)
        if amount != minor or not 0 <= minor <= MOST_MINOR:
            raise ValueError(f"amount: {text[:30]} is no amount of {currency}")
    except (InvalidOperation, OverflowError):
        raise ValueError(f"amount: {text[:30]} is no amount of {currency}") from None
    return minor
