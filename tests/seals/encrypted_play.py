"""An order whose worker, relay and backend encrypt, and strangers who may write to the namespace."""

import asyncio
from dataclasses import replace
from typing import Any

from temporalio.api.common.v1 import Payload
from temporalio.client import Client, WorkflowHistory

from domain.order import StartOrder
from domain.trust.encryption import PayloadKeys
from tests.seals.sealed_play import SealedPlay
from tests.workflows.orders import one_parcel_order
from wire.converter import data_converter
from workflows.messages import ORDER_WORKFLOW, order_workflow_id

OLD, NEW = {"2025": b"o" * 32}, {"2026": b"n" * 32}
KEYS = PayloadKeys({**NEW, **OLD}, own="2026")
BEFORE = PayloadKeys(OLD, own="2025")
READS_ONLY = replace(KEYS, own=None)
CANARY = ("Canary Recipient", "13987654321", "77 Canary Street")


def canary_order() -> StartOrder:
    order = one_parcel_order()
    recipient, phone, street = CANARY
    address = order.address.model_copy(update={"recipient": recipient, "phone": phone, "street": street})
    return order.model_copy(update={"address": address})


class EncryptedPlay(SealedPlay):
    """`backend`: the keys of whoever starts and commands. `handle` is theirs."""

    keys: PayloadKeys | None = KEYS
    backend: PayloadKeys | None = KEYS

    def people(self) -> Client:
        """Without a seal, as backends and `oms` are."""
        config = self.env.client.config()
        config["data_converter"] = data_converter(None, self.backend)
        return Client(**config)

    async def begin(self, order: StartOrder, **how: Any) -> None:
        number = order.order_no if isinstance(order, StartOrder) else order["order_no"]
        self.order = order
        with self.env.with_time_skipping_disabled():
            self.handle = await self.people().start_workflow(
                ORDER_WORKFLOW, order, id=order_workflow_id(number), task_queue=self.queue, result_type=str,
                **how,
            )  # fmt: skip

    def stranger(self) -> Any:
        """A handle of somebody without keys."""
        return self.env.client.get_workflow_handle(self.handle.id)

    async def failed_tasks(self, most: int) -> None:
        """Until so many workflow tasks have failed."""
        async with asyncio.timeout(20):
            while (await self.handle.describe()).raw_description.pending_workflow_task.attempt <= most:
                await asyncio.sleep(0.02)


def everything(history: WorkflowHistory) -> bytes:
    """All that Temporal has of a run."""
    return b"".join(event.SerializeToString() for event in history.events)


def payloads(message: Any) -> list[Payload]:
    """All that stand anywhere in it, but for search attributes, which the server has to read, and headers (traces)."""
    found: list[Payload] = []
    for field, value in message.ListFields():
        if field.name in ("search_attributes", "header") or field.message_type is None:
            continue
        if field.message_type.GetOptions().map_entry:
            values = list(value.values()) if field.message_type.fields_by_name["value"].message_type else []
        else:
            values = list(value) if field.is_repeated else [value]
        for each in values:
            found += [each] if isinstance(each, Payload) else payloads(each)
    return found
