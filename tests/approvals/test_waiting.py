"""A workflow waits for a decision: by update and by signal through one check, reminded, escalated, never by itself."""

import asyncio
import json
import os
import subprocess
import sys
import sysconfig
import uuid
from collections.abc import AsyncIterator, Callable
from contextlib import asynccontextmanager
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import Any

import pytest
from temporalio.client import WorkflowFailureError, WorkflowHandle, WorkflowUpdateFailedError
from temporalio.exceptions import ApplicationError
from temporalio.testing import WorkflowEnvironment
from temporalio.worker import Worker

from activities.access.door import Doorkeeper
from activities.approvals import PeopleActivities
from deploy.local.logins import as_role
from domain.approvals import ApprovalRequest, Decided, Decision, RefusalCode
from providers.tokens.issue import issue, new_key, read_key
from providers.tokens.verify import TokenVerifier
from starter.clients.approvals import ApprovalClient, DecisionNotTaken
from tests.approvals.asking import Asking
from tests.approvals.world import AUDIENCE, ISSUER, Office, question
from tests.workflows.play import open_server
from workflows.approvals.in_place import DecideInPlace
from workflows.messages import TASK_QUEUE

pytestmark = pytest.mark.timeout(60)


def real_time() -> datetime:
    return datetime.now(UTC)


class Waiting:
    """One running workflow and the office that answers it. The clock is the real one: `oms` has no other."""

    def __init__(self, env: WorkflowEnvironment, office: Office, handle: WorkflowHandle[Any, Any]) -> None:
        self.env, self.office, self.handle = env, office, handle

    async def result(self) -> str:
        async with asyncio.timeout(20):
            return str(await self.handle.result())

    async def decide(self, decision: Decision) -> Decided:
        async with asyncio.timeout(20):
            decided: Decided = await self.handle.execute_update("decide", decision, result_type=Decided)
        return decided

    async def refused(self, decision: Decision) -> str | None:
        with pytest.raises(WorkflowUpdateFailedError) as refused:
            await self.decide(decision)
        assert isinstance(refused.value.cause, ApplicationError)
        return refused.value.cause.type

    async def until(self, condition: Callable[[list[tuple[str, str]]], bool]) -> None:
        async with asyncio.timeout(20):
            while not condition(await self.office.refusals()):
                await asyncio.sleep(0.02)


@asynccontextmanager
async def waiting(office: Office, request: ApprovalRequest) -> AsyncIterator[Waiting]:
    office.now = real_time()
    await office.open(question(9, content={"amount_minor": 9}))  # people, and a question of another workflow
    queue = f"asking-{uuid.uuid4().hex[:8]}"
    async with await open_server() as env:
        verifier = TokenVerifier(office.issuers, real_time)
        people, door = PeopleActivities(office.approvals, verifier, real_time), Doorkeeper(verifier.signer)
        methods: list[Callable[..., Any]] = [
            people.open,
            people.decide,
            people.still_valid,
            people.withdraw,
            people.not_taken,
            people.signed,
        ]
        async with (
            Worker(
                env.client,
                task_queue=queue,
                workflows=[Asking],
                activities=methods,
                build_id="tests",
                interceptors=[door],
            ),
            Worker(env.client, task_queue=TASK_QUEUE, workflows=[DecideInPlace], activities=methods, build_id="tests"),
        ):
            with env.with_time_skipping_disabled():
                handle = await env.client.start_workflow("Asking", request, id=f"asking/{queue}", task_queue=queue)
            async with asyncio.timeout(20):
                while await office.approvals.get(request.approval_id) is None:
                    await asyncio.sleep(0.01)
            yield Waiting(env, office, handle)


async def test_a_decision_told_again_under_its_key_with_a_new_token_is_the_first_one(office: Office) -> None:
    asked = question()
    async with waiting(office, asked) as w:
        client = ApprovalClient(w.env.client).keyed("desk-1")
        first = await client.decide(w.handle.id, office.decision("u-fin", asked))
        assert await w.result() == "done, approved by u-fin"
        assert await client.decide(w.handle.id, office.decision("u-fin", asked)) == first
        with pytest.raises(DecisionNotTaken):
            await client.decide(w.handle.id, office.decision("u-fin", asked, decision="reject"))


async def test_reminder_and_escalation_come_in_time_and_time_alone_approves_nothing(office: Office) -> None:
    asked = question()
    async with waiting(office, asked) as w:
        both = ["reminder", "escalation"]
        for passes, said in ((23, []), (2, both[:1]), (24, both), (900, both)):
            await w.env.fast_forward(w.handle, timedelta(hours=passes))
            assert await w.handle.query("said", result_type=list) == said
        assert await office.state(asked) == "open"
        await w.decide(office.decision("u-fin", asked))
        assert await w.result() == "done, approved by u-fin"


async def test_a_signal_goes_through_the_same_check_and_a_refused_one_leaves_an_audit_row_and_nothing_else(
    office: Office,
) -> None:
    asked = question()
    async with waiting(office, asked) as w:
        signals = [
            office.decision("u-cs", asked).model_dump(mode="json"),
            office.decision("u-fin", asked, token="a.b.c").model_dump(mode="json"),
            {"approval_id": asked.approval_id, "decision": "approve", "approved_by": "u-fin"},
            "yes",
        ]
        for message in signals:
            await w.handle.signal("decide_by_signal", message)
        await w.until(lambda rows: len(rows) == 4)
        codes = {code for _, code in await office.refusals()}
        assert codes == {RefusalCode.SELF_APPROVAL, RefusalCode.TOKEN_INVALID, RefusalCode.BAD_DECISION}
        assert await office.state(asked) == "open"
        command = [
            str(Path(sysconfig.get_path("scripts")) / "temporal"), "workflow", "signal", "--workflow-id", w.handle.id,
            "--name", "decide_by_signal", "--address", w.env.client.service_client.config.target_host,
            "--input", office.decision("u-fin", asked).model_dump_json(),
        ]  # fmt: skip
        done = await asyncio.to_thread(subprocess.run, command, capture_output=True, text=True, timeout=20, check=False)
        assert done.returncode == 0, done.stderr
        assert await w.result() == "done, approved by u-fin"


async def test_of_an_approval_and_a_rejection_at_once_one_counts(office: Office) -> None:
    asked = question()
    async with waiting(office, asked) as w:
        sent = await asyncio.gather(
            w.decide(office.decision("u-fin", asked)),
            w.decide(office.decision("u-fin2", asked, decision="reject")),
            return_exceptions=True,
        )
        (won,) = [s for s in sent if isinstance(s, Decided)]
        (lost,) = [s for s in sent if isinstance(s, WorkflowUpdateFailedError)]
        assert isinstance(lost.cause, ApplicationError)
        assert lost.cause.type == RefusalCode.ALREADY_DECIDED
        assert won.person_id in lost.cause.message
        assert (won.person_id in await w.result()) and (await office.state(asked)) in ("approved", "rejected")


async def test_the_approval_of_another_workflow_is_not_decided_here(office: Office) -> None:
    asked = question()
    async with waiting(office, asked) as w:
        other = question(9, content={"amount_minor": 9})
        assert await w.refused(office.decision("u-fin", other)) == RefusalCode.UNKNOWN_APPROVAL
        assert await office.state(other) == "open"


async def test_an_approver_deactivated_before_execution_stops_it(office: Office) -> None:
    asked = question()
    async with waiting(office, asked) as w:
        await office.pool.execute(
            "CREATE FUNCTION gone() RETURNS trigger LANGUAGE plpgsql AS $$ BEGIN UPDATE people "
            " SET active = false, deactivated_at = now() WHERE person_id = NEW.decided_by; RETURN NEW; END $$"
        )
        await office.pool.execute(
            "CREATE TRIGGER gone AFTER UPDATE OF state ON approvals FOR EACH ROW EXECUTE FUNCTION gone()"
        )
        await w.decide(office.decision("u-fin", asked))
        with pytest.raises(WorkflowFailureError) as failed:
            await w.result()
        assert isinstance(failed.value.cause, ApplicationError)
        assert failed.value.cause.type == RefusalCode.PERSON_INACTIVE


async def test_the_command_line_lists_shows_and_decides_item_by_item(office: Office, database_url: str) -> None:
    asked = question()
    async with waiting(office, asked) as w:
        direct = question(7, content={"amount_minor": 7})
        await office.approvals.open(direct, None, office.now)
        private = office.key.private
        env = {
            **{k: v for k, v in os.environ.items() if not k.startswith("OMS_")},
            "OMS_ENV_FILE": "", "OMS_ENVIRONMENT": "local", "OMS_DATABASE_URL": as_role(database_url, "oms_operator"),
            "TEMPORAL_ADDRESS": w.env.client.service_client.config.target_host,
            "OMS_TOKENS_PRIVATE_KEY": _pem(private),
        }  # fmt: skip

        async def oms(*arguments: str) -> "subprocess.CompletedProcess[str]":
            command = [sys.executable, "-m", "starter.cli", *arguments]
            return await asyncio.to_thread(
                subprocess.run, command, capture_output=True, text=True, timeout=40, check=False, env=env
            )

        listed = await oms("approve", "list", "--mine", "u-fin", "--json")
        numbers = {a["request"]["approval_id"] for a in json.loads(listed.stdout)}
        assert numbers == {"A-SO26112001-1", "A-SO26112001-7", "A-SO26112001-9"}
        shown = await oms("approve", "show", asked.approval_id)
        assert "100.01 CNY" in shown.stdout
        forbidden = await oms("approve", "approve", asked.approval_id, "--as", "u-cs", "--remark", "mine")
        assert forbidden.returncode == 3, forbidden.stderr
        batch = await oms(
            "approve", "approve", asked.approval_id, direct.approval_id, "A-NO-1", "--as", "u-fin", "--remark", "seen",
            "--json",
        )  # fmt: skip
        items = {i["approval_id"]: i for i in json.loads(batch.stdout)}
        assert [items[n]["error"] for n in (asked.approval_id, direct.approval_id, "A-NO-1")] == [
            "", "", RefusalCode.UNKNOWN_APPROVAL,
        ]  # fmt: skip
        again = await oms("approve", "reject", direct.approval_id, "--as", "u-fin2", "--remark", "late")
        assert again.returncode == 4, again.stderr
        assert "u-fin" in again.stdout
        assert await w.result() == "done, approved by u-fin"


async def test_a_decision_in_place_is_judged_by_the_worker_whatever_keys_the_decider_has(
    office: Office,
) -> None:
    async with waiting(office, question()) as w:
        direct = question(7, content={"amount_minor": 7})
        await office.approvals.open(direct, None, office.now)
        client = ApprovalClient(w.env.client)
        made: dict[str, Any] = {"token_id": "own", "issuer": ISSUER, "audience": AUDIENCE}
        forged = issue(read_key(new_key()), "u-fin", direct.approval_id, direct.content_hash, **made, now=office.now)
        with pytest.raises(DecisionNotTaken) as refused:
            await client.decide_in_place(office.decision("u-fin", direct, token=forged))
        assert refused.value.type == RefusalCode.TOKEN_INVALID
        assert await office.state(direct) == "open"
        decided = await client.decide_in_place(office.decision("u-fin", direct))
        assert (decided.person_id, await office.state(direct)) == ("u-fin", "approved")


async def test_what_a_workflow_waits_for_is_not_decided_in_place(office: Office) -> None:
    asked = question()
    async with waiting(office, asked) as w:
        with pytest.raises(DecisionNotTaken) as refused:
            await ApprovalClient(w.env.client).decide_in_place(office.decision("u-fin", asked))
        assert refused.value.type == RefusalCode.UNKNOWN_APPROVAL


def _pem(private: Any) -> str:
    from cryptography.hazmat.primitives import serialization

    form = (serialization.Encoding.PEM, serialization.PrivateFormat.PKCS8, serialization.NoEncryption())
    return str(private.private_bytes(*form).decode())
