"""Nobody is believed by name: a command is proven before its handler runs (`domain/access/authority.py`).

The proof is looked at by an activity, which also spends it. What was done already is told again without one: the first
answer moves nothing. A proof is no part of what a command says.
"""

from collections.abc import Callable
from datetime import datetime, timedelta
from functools import wraps
from typing import Any, TypeVar, cast

from temporalio import workflow
from temporalio.common import RetryPolicy
from temporalio.exceptions import ActivityError, ApplicationError

from activities.access.authority import AdmitCommand, AuthorityActivities
from activities.approvals import KEYS_UNAVAILABLE
from domain.access.authority import MONEY, START, ProofCode, message_hash
from domain.order import StartOrder
from domain.returns.models import ApplyReturn
from domain.strict import load
from workflows.durable.commands import Handler, RepeatableCommands
from workflows.durable.tickets import Tickets
from workflows.messages import ResolveTicket, SignedCommand

TIMEOUT = timedelta(seconds=10)
RETRY = RetryPolicy(initial_interval=timedelta(seconds=1), maximum_interval=timedelta(seconds=4), maximum_attempts=4)
"""Whoever commands waits for the answer: then they are told to try again."""
FINAL = frozenset({*ProofCode, KEYS_UNAVAILABLE})

Signed = TypeVar("Signed", bound=SignedCommand | ApplyReturn)


def proven(
    command: str, check: str, *, row: Callable[[str, Any, Any], str] = lambda command, _self, _message: command
) -> Callable[[Handler], Handler]:
    """For the handler of an update, outermost. `check`: its validator's name; it looks once more at what was admitted,
    for time has passed. `row`: of the table of authority, where the command has several."""

    def of(handler: Handler) -> Handler:
        @wraps(handler)
        async def after_proof(self: RepeatableCommands, message: Any) -> Any:
            if self.commands.repeats(self, check, message) or not self.commands.asks_for_proof(message.proof):
                return await handler(self, message)
            update = workflow.current_update_info()
            request_id = f"{workflow.info().run_id} {update.id if update else ''}"
            try:
                plain = await admitted(message, message.by, command, row(command, self, message), request_id)
            except ApplicationError as error:
                first = self.commands.first(message) if error.type == ProofCode.TOKEN_REPLAYED else None
                if first is None:
                    raise
                return await first.first_answer()  # its own first attempt has spent it
            getattr(self, check)(plain)
            return await handler(self, plain)

        return cast(Handler, after_proof)

    return of


def money_apart(command: str, owner: Any, message: ResolveTicket) -> str:
    """`row` of the answer to a ticket: who says what became of money is of finance."""
    tickets: Tickets = owner._state.tickets
    return command + MONEY if tickets.about_money(message) else command


async def admitted_start(proof: str, order: StartOrder, sent: bytes) -> None:
    """Who starts an order; `sent`: its message as it came. Raises as `admitted` does."""
    asked = AdmitCommand(
        command=START, row=START, content_hash=message_hash(load(sent)), by=order.buyer.buyer_id, proof=proof,
        request_id=f"{workflow.info().run_id} start", order_no=order.order_no, channel=order.channel,
        given_at=workflow.info().workflow_start_time,
    )  # fmt: skip
    await _looked_up(asked)


async def admitted_first(
    message: Signed, by: str, command: str, row: str, *, of_order: str | None = None, warehouse: str | None = None
) -> Signed:
    """Of the message that a workflow is started with. Raises as `admitted` does."""
    info = workflow.info()  # `start_time` would be when a worker had time for it
    return await admitted(
        message,
        by,
        command,
        row,
        f"{info.run_id} start",
        info.workflow_start_time,
        of_order=of_order,
        warehouse=warehouse,
    )


async def admitted(
    message: Signed, by: str, command: str, row: str, request_id: str, given_at: datetime | None = None, *,
    of_order: str | None = None, warehouse: str | None = None,
) -> Signed:  # fmt: skip
    """The message without its proof, once its sender is proven and may give it. `given_at`: when, if that is known;
    `of_order`, `warehouse`: what it is about, where the workflow's own id does not say so. Raises `ApplicationError`
    with a `ProofCode` as type; nothing has moved."""
    kind, _, number = workflow.info().workflow_id.partition("/")
    asked = AdmitCommand(
        command=command,
        row=row,
        content_hash=message_hash(message.model_dump(mode="json", exclude_unset=True)),
        by=by,
        proof=message.proof,
        request_id=request_id,
        order_no=number if kind == "order" else None,
        of_order=of_order,
        warehouse=warehouse,
        given_at=given_at,
    )
    await _looked_up(asked)
    return cast(Signed, message.model_copy(update={"proof": None}))


async def _looked_up(asked: AdmitCommand) -> None:
    try:
        await workflow.execute_local_activity_method(
            AuthorityActivities.admit, asked, start_to_close_timeout=TIMEOUT, retry_policy=RETRY,
            summary=f"who commands {asked.command}",
        )  # fmt: skip
    except (ApplicationError, ActivityError) as error:
        if isinstance(error, ApplicationError) and error.type in FINAL:
            raise ApplicationError(error.message, type=error.type, non_retryable=True) from None
        why = f"who gives {asked.command} cannot be looked up now; nothing was changed, try again in a moment"
        raise ApplicationError(why, type="NoAnswer", non_retryable=True) from None
