"""A Temporal client whose server is the engine: production's typed clients and the relay's sender work with it."""

from datetime import timedelta
from typing import Any

from temporalio.api.update.v1 import Outcome
from temporalio.api.workflowservice.v1 import StartWorkflowExecutionResponse
from temporalio.client import (
    Client,
    Interceptor,
    OutboundInterceptor,
    QueryWorkflowInput,
    SignalWorkflowInput,
    StartWorkflowInput,
    StartWorkflowUpdateInput,
    StartWorkflowUpdateWithStartInput,
    WorkflowHandle,
    WorkflowQueryFailedError,
    WorkflowUpdateHandle,
    WorkflowUpdateRPCTimeoutOrCancelledError,
)
from temporalio.contrib.pydantic import pydantic_data_converter
from temporalio.exceptions import WorkflowAlreadyStartedError
from temporalio.service import ConnectConfig, RPCError, RPCStatusCode, _BridgeServiceClient

from bench.conserve.answers import CONVERTER
from bench.conserve.engine import Engine
from bench.conserve.execution import NAMESPACE
from bench.conserve.turns import Answer

PATIENCE = timedelta(seconds=60)
"""How long a caller waits for the answer of an update, on the engine's clock."""


def client_of(engine: Engine) -> Client:
    """Never connects anywhere."""
    nowhere = _BridgeServiceClient(ConnectConfig(target_host="127.0.0.1:1", lazy=True))
    return Client(nowhere, namespace=NAMESPACE, data_converter=pydantic_data_converter, interceptors=[_Door(engine)])


class _Door(Interceptor):
    def __init__(self, engine: Engine) -> None:
        super().__init__()
        self._engine = engine

    def intercept_client(self, next: OutboundInterceptor) -> OutboundInterceptor:
        return _Calls(next, self._engine)


class _Calls(OutboundInterceptor):
    def __init__(self, next: OutboundInterceptor, engine: Engine) -> None:
        super().__init__(next)
        self._engine = engine
        self._client: Client = next._client  # type: ignore[attr-defined]

    async def start_workflow(self, input: StartWorkflowInput) -> WorkflowHandle[Any, Any]:
        try:
            self._engine.start(input.workflow, input.id, CONVERTER.to_payloads(input.args))
        except KeyError:
            raise WorkflowAlreadyStartedError(input.id, input.workflow) from None
        await self._engine.drain()
        return self._client.get_workflow_handle(input.id)

    async def signal_workflow(self, input: SignalWorkflowInput) -> None:
        if not self._engine.signal(input.id, input.signal, CONVERTER.to_payloads(input.args)):
            raise self._not_found(input.id)

    async def query_workflow(self, input: QueryWorkflowInput) -> Any:
        if input.id not in self._engine.executions:
            raise self._not_found(input.id)
        answer = self._engine.query(input.id, input.query, CONVERTER.to_payloads(input.args)).respond_to_query
        if answer.HasField("failed"):
            raise WorkflowQueryFailedError(answer.failed.message)
        hints = [input.ret_type] if input.ret_type else None
        return CONVERTER.from_payloads([answer.succeeded.response], hints)[0]

    async def start_workflow_update(self, input: StartWorkflowUpdateInput) -> WorkflowUpdateHandle[Any]:
        try:
            answer = self._engine.update(input.id, input.update, CONVERTER.to_payloads(input.args), input.update_id)
        except KeyError:
            raise self._not_found(input.id) from None
        return await self._answered(input.id, answer, input.ret_type)

    async def start_update_with_start_workflow(
        self, input: StartWorkflowUpdateWithStartInput
    ) -> WorkflowUpdateHandle[Any]:
        start, update = input.start_workflow_input, input.update_workflow_input
        try:
            made = self._engine.start(start.workflow, start.id, CONVERTER.to_payloads(start.args))
        except KeyError:
            error = WorkflowAlreadyStartedError(start.id, start.workflow)
            input._on_start_error(error)
            raise error from None
        answer = self._engine.update(start.id, update.update, CONVERTER.to_payloads(update.args), update.update_id)
        input._on_start(StartWorkflowExecutionResponse(run_id=made.run_id))
        return await self._answered(start.id, answer, update.ret_type)

    async def _answered(self, workflow_id: str, answer: Answer, result: type | None) -> WorkflowUpdateHandle[Any]:
        engine, until = self._engine, self._engine.now + PATIENCE
        await engine.drain()
        while not answer.known and (due := engine.next_due()) is not None and due <= until:
            await engine.pass_until(due)
        if answer.gone:
            raise self._not_found(workflow_id)
        if not answer.known:
            raise WorkflowUpdateRPCTimeoutOrCancelledError
        outcome = Outcome()
        if answer.failure is not None:
            outcome.failure.CopyFrom(answer.failure)
        elif answer.result is not None:
            outcome.success.payloads.append(answer.result)
        return WorkflowUpdateHandle(self._client, "update", workflow_id, result_type=result, known_outcome=outcome)

    def _not_found(self, workflow_id: str) -> RPCError:
        known = workflow_id in self._engine.executions
        text = "workflow execution already completed" if known else f"workflow not found for ID: {workflow_id}"
        return RPCError(text, RPCStatusCode.NOT_FOUND, b"")
