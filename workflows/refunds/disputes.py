"""A refund whose money the buyer's bank disputes waits until the bank has decided, and goes on by itself (N17)."""

from collections.abc import Awaitable, Callable
from datetime import timedelta

from temporalio import workflow
from temporalio.common import RetryPolicy

from activities.store import StoreActivities
from workflows.durable.local_steps import STORE_TIMEOUT, in_store
from workflows.durable.tickets import Tickets

ASKING = RetryPolicy(initial_interval=timedelta(seconds=20), maximum_interval=timedelta(minutes=5))
"""A chargeback takes months: the activity's retries leave no events."""

DISPUTED = "RefundDisputed"
"""How our books' refusal begins: the type of the store's error."""

ON_HOLD = "refund on hold"
DECIDED = "the bank has decided, or what it took is accounted for"
Wait = Callable[[Callable[[], bool]], Awaitable[None]]


NEVER_SENT = "this refund is never sent by the system: the bank pays the buyer back, or a person does"


async def while_disputed(
    tickets: Tickets, system: str, order_no: str, refund: str, wait: Wait, *, step: str = ON_HOLD,
    give_up_means: str = NEVER_SENT, needless: Callable[[], str] = lambda: "",
) -> bool | None:  # fmt: skip
    """None: no bank holds it. True: try again, the bank has decided or a person says so. False: a person has taken
    the refund over. `step`: of what goes out instead of money, what its ticket asks about. `needless`: why nobody has
    to decide it any more, as things stand; or ''."""
    why = await in_store(StoreActivities.refund_hold, order_no, summary=f"disputes of {order_no}")
    asked = tickets.claim(system, step, about=refund)  # by the run before
    if not why:
        if asked is None:
            return None
        tickets.close_on_evidence(asked, DECIDED)
        return True
    ticket = asked or tickets.open(
        system,
        step,
        f"{refund}: {why}",
        give_up_means=give_up_means,
        actions=("retry", "give_up"),
        severity="urgent",
        about=refund,
    )
    decided = workflow.start_activity_method(
        StoreActivities.refund_hold_over,
        args=[order_no, why],
        start_to_close_timeout=STORE_TIMEOUT,
        retry_policy=ASKING,
        summary=f"the bank's decision about {order_no}",
    )
    await wait(lambda: ticket.resolution is not None or decided.done() or bool(needless()))
    decided.cancel()
    if ticket.resolution is None:
        tickets.close_on_evidence(ticket, needless() or DECIDED)
        return True
    return ticket.resolution.action == "retry"
