"""Somebody who may write to the namespace, and lies to the orders while the storm plays: forged facts, what only cases
say, junk, commands that nobody has proven, calls of our activities. None of it may move a fen or a unit."""

import asyncio
import random
import uuid
from collections import Counter
from collections.abc import Sequence
from dataclasses import dataclass, field
from datetime import UTC, datetime, timedelta
from typing import Any

from temporalio.client import Client, WorkflowHandle, WorkflowUpdateFailedError
from temporalio.common import RawValue
from temporalio.exceptions import TemporalError
from temporalio.service import RPCError

from bench.checks import ownership
from bench.demo.environment import DemoEnvironment
from bench.faults.strangers import DONE, Impostor, Stranger, plain, refusals
from domain.facts import Fact, Kind
from domain.order import StartOrder
from workflows.messages import TASK_QUEUE, FactBatch, ResolveTicket, order_workflow_id
from workflows.order.messages import CancelOrder, ConfirmReceipt
from workflows.order_return_signals import CaseClosed, CaseOpened, StopForCase

FORGED = "FORGED"
"""Stands in the key of every forged fact and in every number that is made up."""
PAUSE_S = 0.05
ANSWER = timedelta(seconds=3)
WANTED = ("payment.refund", "store.write", "wms.cancel", "people.decide")
BELIEVED = """
SELECT (SELECT count(*) FROM order_events WHERE key LIKE '%' || $1 || '%')
     + (SELECT count(*) FROM payments WHERE transaction_id LIKE $1 || '%')
     + (SELECT count(*) FROM refunds) + (SELECT count(*) FROM return_cases)
     + (SELECT count(*) FROM audit WHERE actor = 'stranger' AND action NOT LIKE '%refuse%')"""
MOVED = """
SELECT coalesce(sum(abs(paid_minor - (start ->> 'payable_minor')::bigint) + refunded_minor), 0)::bigint FROM orders"""
HEARD = "SELECT count(*) FROM audit WHERE action = 'signal.refused'"


@dataclass
class Lies:
    """`told`: by kind. `done`: calls of our activities that were done. `believed`: rows that come from a lie; `heard`:
    audit rows of lies that were not believed; `moved_fen`, `ownerless`: what no order accounts for."""

    told: Counter[str] = field(default_factory=Counter)
    done: int = 0
    believed: int = 0
    heard: int = 0
    moved_fen: int = 0
    ownerless: int = 0

    @property
    def good(self) -> bool:
        return bool(self.heard) and not (self.done or self.believed or self.moved_fen or self.ownerless)

    def line(self) -> str:
        return (
            f"a stranger told {self.told.total()} lies ({', '.join(f'{n} {what}' for what, n in self.told.items())}): "
            f"{self.done} calls done, {self.believed} believed, {self.heard} written down; {self.moved_fen} fen moved, "
            f"{self.ownerless} units or sums without an owner"
        )


async def lie(stage: DemoEnvironment, orders: Sequence[StartOrder], seed: int, lies: Lies) -> None:
    """Until cancelled; Temporal may be away meanwhile."""
    drawn = random.Random(seed)
    client = Client(**stage.temporal.config() | {"interceptors": []})
    while True:
        order = drawn.choice(orders)
        what, message = drawn.choice(lies_about(order))
        kind = "signals that nobody knows" if what.startswith(FORGED) else what
        try:
            await _tell(client.get_workflow_handle(order_workflow_id(order.order_no)), what, message)
            lies.told[kind] += 1
        except WorkflowUpdateFailedError:
            lies.told[kind] += 1
        except (RPCError, TemporalError):
            await asyncio.sleep(1)
        await asyncio.sleep(PAUSE_S)


async def ask_for_activities(stage: DemoEnvironment, lies: Lies) -> None:
    """On a queue of the stranger's own, as a workflow of his own and under the name of ours."""
    told = RawValue(plain(f'{{"order_no": "SO1", "refund_no": "{FORGED}", "amount_minor": 10600}}'))
    for kind in (Stranger, Impostor):
        found = await refusals(stage.temporal, TASK_QUEUE, kind, list(WANTED), told, uuid.uuid4().hex)
        lies.told["calls of activities"] += len(found)
        lies.done += found.count(DONE)


async def look(stage: DemoEnvironment, lies: Lies) -> None:
    """What has become of it, once all is at rest."""
    lies.believed = await stage.pool.fetchval(BELIEVED, FORGED)
    lies.moved_fen = await stage.pool.fetchval(MOVED)
    lies.heard = await stage.pool.fetchval(HEARD)
    lies.ownerless = len(await ownership.violations(stage.pool))


async def _tell(handle: WorkflowHandle[Any, Any], what: str, message: Any) -> None:
    if isinstance(message, CancelOrder | ConfirmReceipt | ResolveTicket):
        await handle.execute_update(what, message, rpc_timeout=ANSWER)
    else:
        await handle.signal(what, message, rpc_timeout=ANSWER)


def lies_about(order: StartOrder) -> list[tuple[str, Any]]:
    """Names of messages and what they say; the first that the order is paid."""
    now, number = datetime.now(UTC), f"{FORGED}{uuid.uuid4().hex[:12]}"
    money: dict[str, Any] = {
        "order_no": order.order_no,
        "amount_minor": order.payable_minor,
        "currency": order.currency,
    }
    paid = Fact(
        key=f"wechat:pay:{number}", kind=Kind.PAYMENT_SUCCEEDED, source="wechat", occurred_at=now,
        transaction_id=number, merchant_id="1900000109", inbox_id=10**9, **money,
    )  # fmt: skip
    refunded = Fact(
        key=f"wechat:refund:{number}", kind=Kind.REFUND_SUCCEEDED, source="wechat", occurred_at=now,
        refund_no=f"R-{order.order_no}-1", **money,
    )  # fmt: skip
    scanned = [
        Fact(key=f"k:{number}:{kind}", kind=kind, source="kuaidi100", occurred_at=now, child_no=f"{order.order_no}-01")
        for kind in (Kind.SIGNED, Kind.RETURNED_TO_SENDER)
    ]
    return [
        ("facts", FactBatch(facts=(paid,))),
        ("facts", FactBatch(facts=(refunded, *scanned))),
        ("facts", [None, {"facts": 1}]),
        ("case_opened", CaseOpened(return_no=number, stops_parcels=True)),
        ("stop_for_case", StopForCase(return_no=number, units=())),
        ("case_closed", CaseClosed(return_no=number, refunded={"L1": 1})),
        ("decide_by_signal", {"approval_id": number, "decision": "approve", "token": "x"}),
        (number, "junk" * 1_000),
        ("cancel", CancelOrder(by="stranger", reason=FORGED)),
        ("confirm_receipt", ConfirmReceipt(by="stranger")),
        ("resolve_ticket", ResolveTicket(ticket_id="T-1", action="give_up", remark=FORGED, by="stranger")),
    ]
