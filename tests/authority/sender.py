"""Whoever may write to the namespace: sends any update with any proof, past our own clients."""

from dataclasses import dataclass
from datetime import timedelta
from typing import Any

import pytest
from temporalio.client import WorkflowUpdateFailedError
from temporalio.exceptions import ApplicationError

from bench.scenarios.environment import ScenarioEnvironment
from domain.access.authority import START, Binding, message_hash
from providers.tokens.issue import new_key, read_key
from store.audit.audit import AuditRow, AuditStore
from workflows.messages import SignedCommand

FOREIGN = read_key(new_key())
"""A key that nobody here knows."""


@dataclass
class Sender:
    house: ScenarioEnvironment
    workflow_id: str

    def binding(self, update: str, message: SignedCommand) -> Binding:
        kind = self.workflow_id.partition("/")[0]
        return Binding(self.workflow_id, f"{kind}.{update}", message_hash(message.model_dump(mode="json")))

    def proof(self, caller: str, update: str, message: SignedCommand, **changed: Any) -> str:
        """Of a person; with `binding` or what a token says changed."""
        binding = changed.pop("binding", None) or self.binding(update, message)
        return self.house.office.proof(caller, binding, **changed)

    async def send(self, update: str, message: SignedCommand, proof: str | None = None, **more: Any) -> Any:
        handle = self.house.temporal.get_workflow_handle(self.workflow_id)
        answer = await handle.execute_update(
            update, message.model_copy(update={"proof": proof}), rpc_timeout=timedelta(seconds=30), **more
        )
        await self.house.rest()
        return answer

    async def refused(self, update: str, message: SignedCommand, proof: str | None = None, **more: Any) -> str:
        """The type of the refusal."""
        with pytest.raises(WorkflowUpdateFailedError) as error:
            await self.send(update, message, proof, **more)
        assert isinstance(error.value.cause, ApplicationError)
        return str(error.value.cause.type)

    async def audited(self, action: str) -> list[AuditRow]:
        """Oldest first; the start of the order, proven as well, is not among them."""
        rows = reversed(await AuditStore(self.house.pool).list(limit=1000))
        return [row for row in rows if row.action == action and row.detail.get("command") != START]
