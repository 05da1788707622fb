"""People are told of tickets: every notice once to every channel, whatever dies or is away in between."""

import json
import logging
from collections.abc import AsyncIterator
from dataclasses import dataclass, field
from datetime import datetime, timedelta
from itertools import pairwise
from typing import Any

import pytest
from starlette.applications import Starlette
from starlette.requests import Request
from starlette.responses import Response
from starlette.routing import Route
from temporalio.client import Client

from config.settings import Settings, UnableToConfigure
from domain.policy import Policy
from domain.records import TicketRecord, TicketResolution
from domain.tickets import Escalation
from providers.notices.channels import Channels, UnableToNotify
from relay.__main__ import people_told
from relay.jobs.notices import Notices
from store.pool import Pool
from store.rules.policies import PolicyStore
from store.tickets.escalating import EscalationStore
from store.tickets.notices import NoticeStore
from store.tickets.queue import TicketQueue
from store.tickets.tickets import TicketStore
from tests.outbound.conftest import Clock, serving
from tests.relay.conftest import running, until

RULES = Escalation(normal_after_s=600, groups=("desk", "lead"))


@dataclass
class Phone:
    """What the people of each group have got, behind a real HTTP server. `status`: how it answers."""

    port: int = 0
    status: int = 200
    got: list[tuple[str, dict[str, Any]]] = field(default_factory=list)

    async def ring(self, request: Request) -> Response:
        self.got.append((request.path_params["who"], json.loads(await request.body())))
        return Response(status_code=self.status)

    def urls(self, *groups: str) -> str:
        return json.dumps({group: [f"json://127.0.0.1:{self.port}/{group}/s3cret"] for group in groups})

    @property
    def titles(self) -> list[tuple[str, str]]:
        return [(who, said["title"]) for who, said in self.got]


@pytest.fixture
async def phone() -> AsyncIterator[Phone]:
    ringing = Phone()
    app = Starlette(routes=[Route("/{who}/s3cret", ringing.ring, methods=["POST"])])
    async with serving(app) as port:
        ringing.port = port
        yield ringing


@pytest.fixture
def clock() -> Clock:
    return Clock()


def a_ticket(n: int = 1, **changes: object) -> TicketRecord:
    record = TicketRecord(
        ticket_id=f"T-{n}", system="wms", step="push outbound", error="王芳 13800000000 does not answer"
    )
    return record.model_copy(update=changes)


def telling(pool: Pool, clock: Clock, urls: str) -> Notices:
    async def policy() -> Policy:
        return Policy(escalation=RULES)

    return Notices(NoticeStore(pool), Channels(urls), policy, clock)


async def states(pool: Pool) -> list[tuple[str, int]]:
    rows = await pool.fetch("SELECT state, attempts FROM ticket_notice_sends ORDER BY id")
    return [(row["state"], row["attempts"]) for row in rows]


async def test_an_opened_and_a_raised_ticket_are_told_to_their_groups_once(
    pool: Pool, clock: Clock, phone: Phone
) -> None:
    await TicketStore(pool).open_outside(a_ticket(), None, clock())
    await TicketStore(pool).open_outside(a_ticket(2, severity="info"), None, clock())
    desk = telling(pool, clock, phone.urls("desk", "lead"))
    for _ in range(3):
        await desk.look()
    clock.forward(600)
    await EscalationStore(pool).escalate(RULES, clock())
    for _ in range(2):
        await desk.look()
    opened, raised = phone.titles
    assert opened == ("desk", "[普通 normal] 新工单 / new ticket: T-1")
    assert raised == ("lead", "[紧急 urgent] 工单升级 / ticket escalated: T-1")
    (told, again) = await TicketQueue(pool).notices("T-1")
    assert (told.sent, again.sent) == (1, 1)


async def test_a_notice_holds_what_to_do_and_nothing_personal(pool: Pool, clock: Clock, phone: Phone) -> None:
    await TicketStore(pool).open_outside(a_ticket(child_no="SO20261120-01"), "SO20261120", clock())
    await telling(pool, clock, phone.urls("desk")).look()
    text = phone.got[0][1]["message"]
    assert "wms: push outbound" in text and "SO20261120-01" in text and "oms ticket show T-1" in text
    assert "处理" in text and "王芳" not in text and "138" not in text


async def test_a_channel_that_is_away_is_tried_three_times_more_and_blocks_nobody(
    pool: Pool, clock: Clock, phone: Phone
) -> None:
    phone.status = 503
    await TicketStore(pool).open_outside(a_ticket(), None, clock())
    desk = telling(pool, clock, phone.urls("desk"))
    moments: list[datetime] = []
    for _ in range(60):
        before = len(phone.got)
        await desk.look()
        moments += [clock()] * (len(phone.got) - before)
        clock.forward(1)
    gaps = [round((b - a).total_seconds()) for a, b in pairwise(moments)]
    assert gaps == [5, 10, 20]
    assert await states(pool) == [("failed", 4)]
    answer = TicketResolution(ticket_id="T-1", action="give_up", remark="by hand", resolved_by="ops")
    await TicketStore(pool).resolve_outside(answer, clock())


async def test_a_sender_that_died_with_a_notice_in_hand_loses_nothing(pool: Pool, clock: Clock, phone: Phone) -> None:
    await TicketStore(pool).open_outside(a_ticket(), None, clock())
    desk = telling(pool, clock, phone.urls("desk"))
    store = NoticeStore(pool)
    await store.address(lambda _: Channels(phone.urls("desk")).targets("desk"), clock())
    (claimed,) = await store.claim(clock(), 60, 9)
    await desk.look()
    assert phone.got == [], "somebody else holds it"
    clock.forward(60)
    await desk.look()
    assert len(phone.got) == 1
    await store.failed(claimed, None, clock())
    assert await states(pool) == [("sent", 2)], "who lost the claim has no say any more"


async def test_a_claim_that_dies_each_time_ends(pool: Pool, clock: Clock, phone: Phone) -> None:
    await TicketStore(pool).open_outside(a_ticket(), None, clock())
    store = NoticeStore(pool)
    await store.address(lambda _: ["0" * 12], clock())
    for _ in range(4):
        assert len(await store.claim(clock(), 60, 9)) == 1
        clock.forward(60)
    await telling(pool, clock, phone.urls("desk")).look()
    assert await states(pool) == [("failed", 4)]


async def test_what_was_answered_or_raised_before_anybody_was_told_is_not_told(
    pool: Pool, clock: Clock, phone: Phone
) -> None:
    for n in (1, 2):
        await TicketStore(pool).open_outside(a_ticket(n), None, clock())
    answer = TicketResolution(ticket_id="T-1", action="give_up", remark="by hand", resolved_by="ops")
    await TicketStore(pool).resolve_outside(answer, clock())
    clock.forward(600)
    await EscalationStore(pool).escalate(RULES, clock())
    await telling(pool, clock, phone.urls("desk", "lead")).look()
    assert phone.titles == [("lead", "[紧急 urgent] 工单升级 / ticket escalated: T-2")]


async def test_the_running_relay_tells_and_shows_what_is_open(pool: Pool, nowhere: Client, phone: Phone) -> None:
    await PolicyStore(pool).publish(Policy(escalation=RULES), "ops")
    old = Clock().at - timedelta(hours=1)
    await TicketStore(pool).open_outside(a_ticket(), None, old)
    urls = f"json://127.0.0.1:{phone.port}/everybody/s3cret"
    async with running(pool, nowhere, channels=Channels(urls)) as relay:
        await until(lambda: _so(any("escalated" in title for _, title in phone.titles)))
        shown = (await relay.http.get("/metrics")).text
    assert 'oms_tickets_open{severity="urgent"} 1.0' in shown
    oldest = next(
        line for line in shown.splitlines() if line.startswith('oms_tickets_oldest_seconds{severity="urgent"')
    )
    assert float(oldest.rsplit(" ", 1)[1]) >= 3_600


async def _so(value: bool) -> bool:
    return value


def test_addresses_that_cannot_be_used_are_refused_without_being_shown(caplog: pytest.LogCaptureFixture) -> None:
    with caplog.at_level(logging.DEBUG):
        for text in ('{"desk": "json://h"}', "{", '{"desk": ["json://127.0.0.1/ok", "nonsense://s3cret"]}'):
            with pytest.raises(UnableToNotify) as why:
                Channels(text)
            assert "s3cret" not in str(why.value)
    assert "s3cret" not in caplog.text


async def test_addresses_never_reach_the_log(
    pool: Pool, clock: Clock, phone: Phone, caplog: pytest.LogCaptureFixture, capsys: pytest.CaptureFixture[str]
) -> None:
    phone.status = 500
    await TicketStore(pool).open_outside(a_ticket(), None, clock())
    urls = f"json://127.0.0.1:{phone.port}/desk/s3cret json://127.0.0.1:1/desk/s3cret"
    with caplog.at_level(logging.DEBUG):
        await telling(pool, clock, urls).look()
    said = capsys.readouterr()
    ours = [record.getMessage() for record in caplog.records if not record.name.startswith("uvicorn")]
    assert "s3cret" not in "\n".join((*ours, said.out, said.err))
    assert {state for state, _ in await states(pool)} == {"pending"}


def test_a_relay_does_not_start_with_addresses_that_nobody_can_read(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("OMS_NOTICE_URLS", '{"desk": ["nonsense://s3cret"]}')
    with pytest.raises(UnableToConfigure, match="OMS_NOTICE_URLS: address 1 of group desk") as why:
        people_told(Settings())
    assert "s3cret" not in str(why.value)
    monkeypatch.setenv("OMS_NOTICE_URLS", "json://127.0.0.1:1/s3cret")
    channels = people_told(Settings())
    assert channels is not None and len(channels.targets("anybody")) == 1
    assert "s3cret" not in repr(Settings().notices)
    monkeypatch.setenv("OMS_NOTICE_URLS", "")
    assert people_told(Settings()) is None
