"""An order whose worker demands seals, a relay that seals, and strangers who may write to the namespace."""

import asyncio
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from dataclasses import replace
from datetime import datetime
from typing import Any

from temporalio import activity
from temporalio.client import Client
from temporalio.worker import Worker, WorkflowRunner

from activities.messages import RefundCall, RefundState
from domain.facts import Fact
from domain.trust.encryption import PayloadKeys
from domain.trust.seals import KeyRing
from tests.workflows.play import CANCEL, REAL_SECONDS, Play, inbox_ids
from wire.asked_activities import OnlyForOurWorkflows
from wire.calls import NamingCalls
from wire.converter import data_converter
from workflows.messages import ORDER_WORKFLOW, FactBatch
from workflows.order.messages import Cancelled
from workflows.order.workflow import Order

KEYS = {"relay.1": b"r" * 32, "worker.1": b"w" * 32}
RELAYS = KeyRing({"relay.1": KEYS["relay.1"]}, own="relay.1")


def workers(since: datetime | None = None) -> KeyRing:
    return KeyRing(KEYS, own="worker.1", since=since)


class SealedPlay(Play):
    """`handle` is a stranger's: what tests send through it has no seal."""

    since: datetime | None = None
    calls_since: datetime | None = None
    runner: WorkflowRunner = NamingCalls()
    relay_seals = True
    keys: PayloadKeys | None = None
    """With which worker and relay encrypt."""

    def __init__(self, *surroundings: Any) -> None:
        super().__init__(*surroundings)
        self.may_refund = asyncio.Event()
        """Cleared: a refund that is asked for is under way until it is set."""
        self.may_refund.set()
        self._slow_refunds()

    def _slow_refunds(self) -> None:
        genuine = self.world.channel.refund

        @activity.defn(name="payment.refund")
        async def refund(call: RefundCall) -> RefundState:
            await self.may_refund.wait()
            return await genuine(call)

        self.world.channel.refund = refund  # type: ignore[method-assign]

    def client(self, ring: KeyRing) -> Client:
        config = self.env.client.config()
        config["data_converter"] = data_converter(ring, self.keys)
        return Client(**config)

    @asynccontextmanager
    async def worker(self) -> AsyncIterator[None]:
        ring = replace(workers(self.since), calls_since=self.calls_since)
        async with Worker(
            self.client(ring), task_queue=self.queue, workflows=[Order], activities=self.world.activities(),
            workflow_runner=self.runner, build_id="tests",
            interceptors=[OnlyForOurWorkflows([ORDER_WORKFLOW], ring)],
        ):  # fmt: skip
            yield

    async def signal(self, *facts: Fact) -> None:
        """As the relay delivers them."""
        if not self.relay_seals:
            await super().signal(*facts)
            return
        rows = tuple(f.model_copy(update={"inbox_id": next(inbox_ids)}) for f in facts)
        self.world.told[self.order.order_no] |= {f.inbox_id for f in rows if f.inbox_id is not None}
        await self.say("facts", FactBatch(facts=rows), RELAYS)

    async def say(self, name: str, message: Any, ring: KeyRing | None = None) -> None:
        """By whoever has these keys; without any by a stranger."""
        client = self.env.client if ring is None else self.client(ring)
        await client.get_workflow_handle(self.handle.id).signal(name, message)

    async def send_cancel_and_go_on(self) -> "asyncio.Task[Cancelled]":
        call = self.handle.execute_update("cancel", CANCEL, result_type=Cancelled)
        return asyncio.ensure_future(asyncio.wait_for(call, REAL_SECONDS))

    def refused(self) -> list[tuple[str, Any]]:
        """Audit rows of signals that were not believed."""
        rows = [a for a in self.world.account.audit if a.action == "signal.refused"]
        assert all(a.actor == "unverified" for a in rows)
        return [(str(a.detail["signal"]), a.detail["count"]) for a in rows]
