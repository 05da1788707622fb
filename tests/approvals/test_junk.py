"""Whoever sends junk shuts out nobody but themselves, and a history does not grow with it."""

import asyncio
from datetime import timedelta
from typing import Any

import pytest
from temporalio.client import WorkflowUpdateFailedError
from temporalio.exceptions import ApplicationError

from domain.approvals import RefusalCode
from providers.tokens.issue import issue, new_key, read_key
from tests.approvals.test_waiting import Waiting, real_time, waiting
from tests.approvals.world import AUDIENCE, ISSUER, Office, question
from workflows.approvals.approvals import MOST_OF_ONE, MOST_REFUSED, MOST_UNSIGNED

pytestmark = pytest.mark.timeout(120)
JUNK = 300
REFUSED = "SELECT count(*) FROM audit WHERE action = 'approval.refused'"


async def events(w: Waiting) -> int:
    return (await w.handle.describe()).history_length


async def test_after_300_decisions_that_nobody_signed_the_real_approver_decides(office: Office) -> None:
    asked = question()
    async with waiting(office, asked) as w:
        foreign = read_key(new_key())
        made: dict[str, Any] = {"issuer": ISSUER, "audience": AUDIENCE, "now": real_time()}

        def junk(n: int) -> Any:
            token = issue(foreign, "u-fin", asked.approval_id, asked.content_hash, token_id=f"j{n}", **made)
            return office.decision("u-fin", asked, token=("a.b.c", token)[n % 2])

        for n in range(MOST_UNSIGNED):
            assert await w.refused(junk(n)) == RefusalCode.TOKEN_INVALID
        before = await events(w)
        for n in range(JUNK):
            assert await w.refused(junk(n)) == RefusalCode.TOKEN_INVALID
        assert await events(w) == before, "what is refused at the door leaves nothing"
        assert len(await office.refusals()) == MOST_UNSIGNED
        await w.decide(office.decision("u-fin", asked))
        assert await w.result() == "done, approved by u-fin"


async def test_after_300_signals_that_nobody_signed_the_real_approver_decides_by_signal(office: Office) -> None:
    asked = question()
    async with waiting(office, asked) as w:
        message = office.decision("u-fin", asked, token="a.b.c").model_dump(mode="json")
        for _ in range(JUNK // 50):
            await asyncio.gather(*(w.handle.signal("decide_by_signal", message) for _ in range(50)))
        async with asyncio.timeout(60):
            while await office.pool.fetchval(REFUSED) < MOST_REFUSED:
                await asyncio.sleep(0.05)
        for late in (message, "yes"):
            await w.handle.signal("decide_by_signal", late)
        await w.handle.signal("decide_by_signal", office.decision("u-fin", asked).model_dump(mode="json"))
        assert await w.result() == "done, approved by u-fin"


async def test_a_person_who_is_refused_again_and_again_shuts_out_themselves_for_an_hour(office: Office) -> None:
    asked = question()
    async with waiting(office, asked) as w:
        for _ in range(MOST_OF_ONE):
            assert await w.refused(office.decision("u-out", asked)) == RefusalCode.WRONG_ROLE
        assert await w.refused(office.decision("u-out", asked)) == "TooMany"
        with w.env.with_time_skipping_disabled():
            assert await w.refused(office.decision("u-cs", asked)) == RefusalCode.SELF_APPROVAL
        await w.env.fast_forward(w.handle, timedelta(minutes=61))
        assert await w.refused(office.decision("u-out", asked)) == RefusalCode.WRONG_ROLE
        await w.decide(office.decision("u-fin", asked))
        assert await w.result() == "done, approved by u-fin"


async def test_a_token_that_a_stranger_sends_again_counts_once_against_its_owner(office: Office) -> None:
    asked = question()
    async with waiting(office, asked) as w:
        caught = office.decision("u-fin", asked, remark=" ")
        for _ in range(MOST_OF_ONE * 2):
            assert await w.refused(caught) == RefusalCode.REMARK_REQUIRED
        with pytest.raises(WorkflowUpdateFailedError) as other:
            await w.decide(caught.model_copy(update={"content_hash": "0" * 64, "remark": "x"}))
        assert isinstance(other.value.cause, ApplicationError)
        await w.decide(office.decision("u-fin", asked))
        assert await w.result() == "done, approved by u-fin"
