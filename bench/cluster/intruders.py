"""Calls that only another may make: each process's token tries what is not its own, and strangers try too."""

import asyncio
from collections.abc import Awaitable, Callable, Sequence
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

from google.protobuf.duration_pb2 import Duration
from google.protobuf.message import Message
from temporalio.api.batch.v1 import BatchOperationTermination
from temporalio.api.command.v1 import Command
from temporalio.api.common.v1 import WorkflowExecution, WorkflowType
from temporalio.api.enums.v1 import IndexedValueType, WorkflowIdConflictPolicy
from temporalio.api.operatorservice.v1 import AddSearchAttributesRequest, DeleteNamespaceRequest
from temporalio.api.schedule.v1 import Schedule
from temporalio.api.taskqueue.v1 import TaskQueue
from temporalio.api.workflowservice import v1 as calls
from temporalio.client import Client, TLSConfig
from temporalio.service import RPCError, RPCStatusCode

from deploy.cluster.server import BACKEND, LIVES, NAMESPACE, Cluster
from deploy.temporal_keys.certificates import CLIENT, Authority
from deploy.temporal_keys.tokens import TokenSigner
from workflows.loops.reconciliation import DAILY_WORKFLOW_ID
from workflows.messages import TASK_QUEUE, order_workflow_id

ANSWER_S = 15.0
LISTING = ("list_workflow_executions", calls.ListWorkflowExecutionsRequest())
UNHEARD = (RPCStatusCode.UNAVAILABLE, RPCStatusCode.CANCELLED, RPCStatusCode.DEADLINE_EXCEEDED)


@dataclass
class Tried:
    """`through`: what was not refused, in words."""

    refused: int = 0
    through: list[str] = field(default_factory=list)
    callers: set[str] = field(default_factory=set)

    def line(self) -> str:
        told = "; ".join(self.through) or "nothing"
        return (
            f"walls: {self.refused + len(self.through)} calls of {len(self.callers)} callers tried, "
            f"{self.refused} refused, got through: {told}"
        )


def work() -> Sequence[tuple[str, Message]]:
    """What a worker does: whoever may is believed to be one."""
    queue, token, who = TaskQueue(name=TASK_QUEUE), b"\x0a\x01x", "intruder"
    return (
        ("poll_workflow_task_queue", calls.PollWorkflowTaskQueueRequest(task_queue=queue, identity=who)),
        ("poll_activity_task_queue", calls.PollActivityTaskQueueRequest(task_queue=queue, identity=who)),
        ("poll_nexus_task_queue", calls.PollNexusTaskQueueRequest(task_queue=queue, identity=who)),
        (
            "respond_workflow_task_completed",
            calls.RespondWorkflowTaskCompletedRequest(task_token=token, commands=[Command()]),
        ),
        ("respond_workflow_task_failed", calls.RespondWorkflowTaskFailedRequest(task_token=token)),
        ("respond_query_task_completed", calls.RespondQueryTaskCompletedRequest(task_token=token)),
        ("respond_activity_task_completed", calls.RespondActivityTaskCompletedRequest(task_token=token)),
        ("respond_activity_task_failed", calls.RespondActivityTaskFailedRequest(task_token=token)),
        ("record_activity_task_heartbeat", calls.RecordActivityTaskHeartbeatRequest(task_token=token)),
        ("reset_sticky_task_queue", calls.ResetStickyTaskQueueRequest()),
        ("shutdown_worker", calls.ShutdownWorkerRequest(sticky_task_queue=TASK_QUEUE)),
    )


def never(order_no: str) -> Sequence[tuple[str, Message]]:
    """What no running process may do, whoever it is."""
    target = WorkflowExecution(workflow_id=order_workflow_id(order_no))
    retention, terminates = Duration(seconds=86_400), BatchOperationTermination()
    by_id = calls.RespondActivityTaskCompletedByIdRequest(workflow_id=target.workflow_id, activity_id="1")
    return (
        ("respond_activity_task_completed_by_id", by_id),
        ("terminate_workflow_execution", calls.TerminateWorkflowExecutionRequest(workflow_execution=target)),
        ("request_cancel_workflow_execution", calls.RequestCancelWorkflowExecutionRequest(workflow_execution=target)),
        ("reset_workflow_execution", calls.ResetWorkflowExecutionRequest(workflow_execution=target)),
        ("pause_activity", calls.PauseActivityRequest(execution=target)),
        ("signal_workflow_execution", _signal(order_no, "stop_for_case")),
        ("signal_workflow_execution", _signal(order_no, "case_closed")),
        ("signal_workflow_execution", _signal(order_no, "anything")),
        (
            "signal_workflow_execution",
            calls.SignalWorkflowExecutionRequest(
                signal_name="configure", workflow_execution=WorkflowExecution(workflow_id=DAILY_WORKFLOW_ID)
            ),
        ),
        ("start_workflow_execution", _start("order/X1", "Evil")),
        ("start_workflow_execution", _start("order/X1", "Order", queue="mine")),
        ("start_workflow_execution", _start("order/X1", "Order", request_eager_execution=True)),
        ("start_workflow_execution", _start("order/X1", "Order", workflow_execution_timeout=Duration(seconds=1))),
        ("start_workflow_execution", _start("order/X1", "Order", cron_schedule="* * * * *")),
        (
            "start_workflow_execution",
            _start(
                target.workflow_id, "Order",
                workflow_id_conflict_policy=WorkflowIdConflictPolicy.WORKFLOW_ID_CONFLICT_POLICY_TERMINATE_EXISTING,
            ),
        ),
        ("create_schedule", calls.CreateScheduleRequest(schedule_id="x", schedule=Schedule())),
        (
            "start_batch_operation",
            calls.StartBatchOperationRequest(
                visibility_query="OmsStatus = 'PAID'", job_id="x", reason="x", termination_operation=terminates
            ),
        ),
        (
            "register_namespace",
            calls.RegisterNamespaceRequest(namespace="mine", workflow_execution_retention_period=retention),
        ),
        ("update_namespace", calls.UpdateNamespaceRequest()),
        ("operator.delete_namespace", DeleteNamespaceRequest()),
        (
            "operator.add_search_attributes",
            AddSearchAttributesRequest(search_attributes={"X": IndexedValueType.INDEXED_VALUE_TYPE_KEYWORD}),
        ),
    )  # fmt: skip


def forgetting(order_no: str) -> Sequence[tuple[str, Message]]:
    """What the worker does to the histories of a buyer whom two people forget, and nobody else."""
    target = WorkflowExecution(workflow_id=order_workflow_id(order_no))
    return (
        ("delete_workflow_execution", calls.DeleteWorkflowExecutionRequest(workflow_execution=target)),
        LISTING,
    )


def looking(order_no: str) -> Sequence[tuple[str, Message]]:
    """What people may look at, and neither a backend nor the relay."""
    target = WorkflowExecution(workflow_id=order_workflow_id(order_no))
    return (
        ("get_workflow_execution_history", calls.GetWorkflowExecutionHistoryRequest(execution=target)),
        ("count_workflow_executions", calls.CountWorkflowExecutionsRequest()),
        ("list_namespaces", calls.ListNamespacesRequest()),
    )


def commands(order_no: str) -> Sequence[tuple[str, Message]]:
    """What backends and people do, and machines do not."""
    target = WorkflowExecution(workflow_id=order_workflow_id(order_no))
    return (
        ("start_workflow_execution", _start("order/X1", "Order")),
        ("update_workflow_execution", calls.UpdateWorkflowExecutionRequest(workflow_execution=target)),
    )


def told(order_no: str) -> tuple[str, Message]:
    """What the relay alone says."""
    return "signal_workflow_execution", _signal(order_no, "facts")


async def as_processes(cluster: Cluster, order_no: str, tried: Tried) -> None:
    """Each with its own certificate and token."""
    loop = ("start_workflow_execution", _start("reconcile/mine", "Pull"))
    controls = ("start_workflow_execution", _start("controls/x", "ChangeControls"))
    forget = forgetting(order_no)
    wanted: dict[str, Sequence[tuple[str, Message]]] = {
        BACKEND: (*work(), *never(order_no), *forget, *looking(order_no), told(order_no), loop, controls),
        "relay": (*work(), *never(order_no), *forget, *looking(order_no), *commands(order_no), loop, controls),
        "worker": (*never(order_no), *looking(order_no), *commands(order_no), told(order_no), controls),
        "operator": (*work(), *never(order_no), forget[0], told(order_no), loop),
        "console": (*work(), *never(order_no), forget[0], told(order_no), loop),
    }
    for name, what in wanted.items():
        client = await cluster.client(name)
        for call, request in what:
            await _try(tried, name, call, _called(client, call, request))
    elsewhere = await cluster.client("worker")
    for call, request in work():
        await _try(tried, "worker, another namespace", call, _called(elsewhere, call, request, namespace="mine"))


async def as_strangers(cluster: Cluster, home: Path, order_no: str, tried: Tried) -> None:
    """Whoever has stolen one thing, or made one."""
    call, request = told(order_no)
    harmless = calls.ListWorkflowExecutionsRequest()

    def read(name: str) -> str:
        return (cluster.keys / f"temporal_{name}_token").read_text()

    signer, long_ago = TokenSigner(home / "strangers-tokens.key"), -LIVES
    own = TokenSigner(cluster.keys / "authority" / "tokens.key")
    tokens = {
        "with the relay's token and a backend's certificate": ("shop", read("relay")),
        "with the relay's certificate and a backend's token": ("relay", read("shop")),
        "with the relay's certificate alone": ("relay", ""),
        "with a token of its own making": ("relay", signer.token("relay", f"{NAMESPACE}:relay", LIVES)),
        "with a token that has ended": ("relay", own.token("relay", f"{NAMESPACE}:relay", long_ago)),
        "with a token for years": ("relay", own.token("relay", f"{NAMESPACE}:relay", LIVES * 1_000)),
        "with a token of a role that there is not": ("relay", own.token("relay", f"{NAMESPACE}:root", LIVES)),
        "with no more than words": ("relay", "worker"),
        "at the Web UI, not signed in": ("web_ui", ""),
        "at the Web UI, with a backend's token": ("web_ui", read("shop")),
    }
    for who, (certificate, token) in tokens.items():
        for name, asked in ((call, request), ("list_workflow_executions", harmless)):
            await _try(tried, who, name, _as(cluster, certificate, token, name, asked))
    theirs = Authority(home, "strangers").issue("relay", [CLIENT], LIVES)
    roots = cluster.tls("relay").server_root_ca_cert
    forged = TLSConfig(
        server_root_ca_cert=roots, client_cert=theirs.certificate.encode(), client_private_key=theirs.key.encode()
    )
    ours = cluster.tls("relay")
    doors: dict[str, tuple[str, TLSConfig | bool]] = {
        "without a certificate": (cluster.address, TLSConfig(server_root_ca_cert=roots)),
        "with a certificate of a stranger's authority": (cluster.address, forged),
        "without TLS": (cluster.address, False),
        "at the nodes' own door, with the relay's certificate": (cluster.inner_address, ours),
        "at the nodes' own door, without TLS": (cluster.inner_address, False),
    }
    for who, (address, tls) in doors.items():
        await _try(tried, who, call, _at(address, tls, read("relay"), call, request))


async def _at(address: str, tls: TLSConfig | bool, token: str, call: str, request: Message) -> None:
    client = await Client.connect(address, namespace=NAMESPACE, tls=tls, api_key=token)
    await _called(client, call, request)


async def _as(cluster: Cluster, certificate: str, token: str, call: str, request: Message) -> None:
    client = await cluster.client(certificate, token=token)
    await _called(client, call, request)


async def _called(client: Client, call: str, request: Message, namespace: str = NAMESPACE) -> None:
    service: Any = client.operator_service if call.startswith("operator.") else client.workflow_service
    if "namespace" in request.DESCRIPTOR.fields_by_name and not getattr(request, "namespace", ""):
        request = type(request).FromString(request.SerializeToString())
        request.namespace = namespace  # type: ignore[attr-defined]
    method: Callable[[Message], Awaitable[Message]] = getattr(service, call.removeprefix("operator."))
    await method(request)


async def _try(tried: Tried, who: str, call: str, trial: Awaitable[None]) -> None:
    """Counts as refused only what a wall has refused: an answer of any other kind has come through."""
    tried.callers.add(who)
    try:
        async with asyncio.timeout(ANSWER_S):
            await trial
        how = "done"
    except RPCError as error:
        door = error.status in UNHEARD and "transport" in str(error).lower()
        if error.status in (RPCStatusCode.PERMISSION_DENIED, RPCStatusCode.UNAUTHENTICATED) or door:
            tried.refused += 1
            return
        how = f"{error.status.name}: {error}"
    except RuntimeError:
        # The SDK's word for a connection that nobody accepted.
        tried.refused += 1
        return
    except TimeoutError:
        how = "waited for an answer"
    tried.through.append(f"{call} {who} ({' '.join(how.split())[:120]})")


def _signal(order_no: str, name: str) -> calls.SignalWorkflowExecutionRequest:
    return calls.SignalWorkflowExecutionRequest(
        signal_name=name, workflow_execution=WorkflowExecution(workflow_id=order_workflow_id(order_no))
    )


def _start(workflow_id: str, kind: str, *, queue: str = TASK_QUEUE, **how: Any) -> calls.StartWorkflowExecutionRequest:
    return calls.StartWorkflowExecutionRequest(
        workflow_id=workflow_id, workflow_type=WorkflowType(name=kind), task_queue=TaskQueue(name=queue), **how
    )
