"""Who may decide is told once through the company's messenger, with a link, and nobody else is."""

from collections.abc import AsyncIterator
from dataclasses import dataclass, replace
from datetime import UTC, datetime, timedelta

import httpx
import pytest

from deploy.local.logins import as_role
from domain.approvals import Role, ask
from providers.messengers.choosing import messenger
from providers.messengers.port import MessengerApp
from relay.jobs.approval_notices import ApprovalNotices
from relay.jobs.approval_tellers import ByMessenger
from sandbox.core.settings import Settings
from sandbox.messengers.people import Directory
from sandbox.wecom import WeComSandbox
from store.approvals.approvals import ApprovalStore
from store.approvals.notices import ApprovalNoticeStore
from store.approvals.people import PeopleStore
from store.pool import Pool, open_pool

NOW = datetime(2026, 11, 30, 8, 0, tzinfo=UTC)
APP = MessengerApp("wecom", "ww-sandbox", "1000002", secret="sandbox-secret", host="http://messenger.test")
CONSOLE = "https://console.example"


@dataclass
class Company:
    pool: Pool
    people: Directory
    notices: ApprovalNotices
    now: datetime
    away: bool = False

    async def asks(self, n: int = 1, by: str = "wecom/asker") -> str:
        request = ask(
            "refund_payout",
            subject="RT-1",
            n=n,
            version=n,
            role=Role.FINANCE,
            requested_by=by,
            content={"amount_minor": 1_999},
        )
        await ApprovalStore(self.pool).open(request, None, self.now)
        return request.approval_id

    def told(self) -> list[str]:
        return sorted(one["to"] for one in self.people.sent)


@pytest.fixture
async def company(database_url: str, pool: Pool) -> AsyncIterator[Company]:
    """With the rights of the relay's role. Two of finance, one elsewhere, one without an account there."""
    sandbox = WeComSandbox(Settings({"MEMBERS": "asker,fin,boss,agent,away"}, clock=lambda: place.now))

    async def door(request: httpx.Request) -> httpx.Response:
        if place.away:
            raise httpx.ConnectError("away")
        return await inside.handle_async_request(request)

    inside = httpx.ASGITransport(sandbox.app)
    own = await open_pool(as_role(database_url, "oms_relay"), application="relay")
    async with httpx.AsyncClient(transport=httpx.MockTransport(door)) as http:
        client = messenger(APP, http, lambda: place.now)
        notices = ApprovalNotices(ApprovalNoticeStore(own), ByMessenger(client), CONSOLE, lambda: place.now)
        place = Company(pool, sandbox.people, notices, NOW)
        store = PeopleStore(pool)
        for person, role in (
            ("wecom/asker", Role.FINANCE), ("wecom/fin", Role.FINANCE), ("wecom/agent", Role.CS_AGENT),
            ("u-local", Role.FINANCE), ("wecom/away", Role.FINANCE),
        ):  # fmt: skip
            await store.add(person, [role], "test", NOW)
        await store.set_active("wecom/away", False, "test", NOW)
        yield place
    await own.close()


async def test_who_may_decide_is_told_once_with_a_link_that_signs_in(company: Company) -> None:
    number = await company.asks()
    assert await company.notices.look() == 1
    assert await company.notices.look() == 0
    (said,) = company.people.sent
    assert (said["to"], said["title"]) == ("fin", "待您审批：退款付出前复核")
    assert said["url"] == f"{CONSOLE}/sign-in/messenger?next=%2Fapprovals%2F{number}"
    assert number in said["description"] and "1999" not in said["description"].replace(".", ""), "no amount"


async def test_who_stands_in_is_told_and_who_stands_in_for_the_asker_is_not(company: Company) -> None:
    people = PeopleStore(company.pool)
    await people.add("wecom/boss", [Role.CS_AGENT], "test", NOW)
    until = NOW + timedelta(days=1)
    await people.delegate("u-local", "wecom/boss", until, "u-local", NOW)
    await people.delegate("wecom/asker", "wecom/agent", until, "wecom/asker", NOW)
    await company.asks()
    await company.notices.look()
    assert company.told() == ["boss", "fin"]
    company.now = until + timedelta(seconds=1)
    await company.asks(2)
    await company.notices.look()
    assert company.told() == ["boss", "fin", "fin"], "what was lent is over"


async def test_an_outage_is_tried_three_times_more_and_then_given_up(company: Company) -> None:
    await company.asks()
    company.away = True
    for _ in range(6):
        await company.notices.look()
        company.now += timedelta(minutes=1)
    row = await company.pool.fetchrow("SELECT state, attempts FROM approval_notices")
    assert row is not None and tuple(row) == ("failed", 4)
    company.away = False
    assert await company.notices.look() == 0 and company.told() == []


async def test_a_short_outage_loses_nothing(company: Company) -> None:
    await company.asks()
    company.away = True
    await company.notices.look()
    company.away = False
    company.now += timedelta(minutes=1)
    await company.notices.look()
    assert company.told() == ["fin"]


async def test_what_was_decided_meanwhile_needs_no_notice(company: Company) -> None:
    number = await company.asks()
    company.away = True
    await company.notices.look()
    await company.pool.execute(
        """UPDATE approvals SET state = 'withdrawn', withdrawn_at = now() WHERE approval_id = $1""", number
    )
    company.away, company.now = False, company.now + timedelta(minutes=1)
    await company.notices.look()
    assert company.told() == []
    assert await company.pool.fetchval("SELECT state FROM approval_notices") == "needless"


async def test_a_sender_that_died_is_followed_by_another_when_its_lease_is_over(company: Company) -> None:
    await company.asks()
    store = ApprovalNoticeStore(company.pool)
    await store.address("messenger", "wecom/", None, company.now)
    (claimed,) = await store.claim("messenger", company.now, 60, 4)
    assert await company.notices.look() == 0, "somebody sends it"
    company.now += timedelta(seconds=61)
    await company.notices.look()
    assert company.told() == ["fin"]
    await store.failed(replace(claimed), None, company.now)
    assert await company.pool.fetchval("SELECT state FROM approval_notices") == "sent", "the late word of the dead"


async def test_whom_the_messenger_does_not_reach_is_not_tried_again(company: Company) -> None:
    company.people.reachable = set()
    await company.asks()
    await company.notices.look()
    row = await company.pool.fetchrow("SELECT state, attempts FROM approval_notices")
    assert row is not None and tuple(row) == ("failed", 1)
