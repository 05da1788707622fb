"""Who may decide is told by mail, too, where their address is known: once, with a link to the question."""

from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta
from typing import Any

import pytest

from config.mail import MailSettings
from deploy.local.logins import as_role
from domain.approvals import Role, ask
from providers.mail.smtp import Mail, MailRefused, MailServer, MailUnavailable, MailUnknown
from providers.messengers.port import LinkMessage
from relay.jobs.approval_notices import ApprovalNotices
from relay.jobs.approval_tellers import ByMail
from sandbox.core.settings import Settings
from sandbox.mail import HANG_UP, MailSandbox
from store.approvals.approvals import ApprovalStore
from store.approvals.notices import ApprovalNoticeStore
from store.approvals.people import PeopleStore
from store.pool import Pool, open_pool

NOW = datetime(2026, 12, 1, 8, 0, tzinfo=UTC)
CONSOLE, SENDER = "https://console.example", "oms@shop.example"
ADDRESSES = {"u-fin": "fin@shop.example", "u-asker": "asker@shop.example", "u-cs": "cs@shop.example"}
MESSAGE = LinkMessage("待您审批：退款申请", "编号 A-1\nYour decision is asked for", f"{CONSOLE}/x", "打开审批 / Open")


@asynccontextmanager
async def post_office(**settings: str) -> AsyncIterator[MailSandbox]:
    sandbox = MailSandbox(Settings(settings))
    async with sandbox.listening():
        yield sandbox


def mail_to(sandbox: MailSandbox, **changes: str) -> Mail:
    return Mail(MailServer("127.0.0.1", sandbox.port, "none", SENDER, **changes), lambda: NOW, step_s=2)


@dataclass
class Office:
    pool: Pool
    mail: MailSandbox
    notices: ApprovalNotices
    now: datetime

    async def asks(self, n: int = 1) -> str:
        request = ask(
            "refund_payout", subject="RT/1", n=n, version=n, role=Role.FINANCE, requested_by="u-asker",
            content={"amount_minor": 1_999},
        )  # fmt: skip
        await ApprovalStore(self.pool).open(request, None, self.now)
        return request.approval_id


@pytest.fixture
async def office(database_url: str, pool: Pool) -> AsyncIterator[Office]:
    """With the rights of the relay's role. Of finance: one with an address, one without, and who asks."""
    own = await open_pool(as_role(database_url, "oms_relay"), application="relay")
    async with post_office() as sandbox:
        teller = ByMail(mail_to(sandbox), ADDRESSES)
        notices = ApprovalNotices(ApprovalNoticeStore(own), teller, CONSOLE, lambda: place.now)
        place = Office(pool, sandbox, notices, NOW)
        for person in ("u-asker", "u-fin", "u-quiet"):
            await PeopleStore(pool).add(person, [Role.FINANCE], "test", NOW)
        await PeopleStore(pool).add("u-cs", [Role.CS_AGENT], "test", NOW)
        yield place
    await own.close()


async def test_who_may_decide_gets_one_mail_with_a_link_and_nothing_of_the_content(office: Office) -> None:
    number = await office.asks()
    assert await office.notices.look() == 1 and await office.notices.look() == 0
    (mail,) = office.mail.came
    assert (mail.to, mail.sender, mail.title) == ("fin@shop.example", SENDER, "待您审批：退款付出前复核")
    page = number.replace("/", "%252F")
    assert f"{CONSOLE}/sign-in/on?next=%2Fapprovals%2F{page}\n" in mail.text
    assert number in mail.text and "19" not in mail.text.replace(number, "").replace(page, "").replace("2026", "")


async def test_who_is_told_by_the_messenger_is_told_by_mail_all_the_same(office: Office) -> None:
    await office.asks()
    messenger = ApprovalNoticeStore(office.pool)
    await messenger.address("messenger", "u-", None, office.now)
    told = await messenger.claim("messenger", office.now, 60, 9)
    assert sorted(one.person_id for one in told) == ["u-fin", "u-quiet"]
    await office.notices.look()
    assert [one.to for one in office.mail.came] == ["fin@shop.example"]


async def test_a_server_that_is_busy_is_asked_again_and_one_that_knows_nobody_is_not(office: Office) -> None:
    await office.asks()
    office.mail.answer = "451 later"
    await office.notices.look()
    office.mail.answer, office.now = "", office.now + timedelta(minutes=1)
    assert await office.notices.look() == 1 and len(office.mail.came) == 1
    await office.asks(2)
    office.mail.answer = "550 no such user here"
    await office.notices.look()
    office.now += timedelta(hours=1)
    assert await office.notices.look() == 0
    states = await office.pool.fetch("SELECT state, attempts FROM approval_notices ORDER BY approval_id")
    assert [tuple(row) for row in states] == [("sent", 2), ("failed", 1)]


async def test_our_name_and_password_are_said_and_a_wrong_one_is_tried_again() -> None:
    async with post_office(USERNAME="oms", PASSWORD="right", PEOPLE="fin@shop.example") as sandbox:
        await mail_to(sandbox, username="oms", password="right").send("fin@shop.example", MESSAGE)
        with pytest.raises(MailUnavailable) as wrong:
            await mail_to(sandbox, username="oms", password="wrong").send("fin@shop.example", MESSAGE)
        with pytest.raises(MailRefused, match="550"):
            await mail_to(sandbox, username="oms", password="right").send("nobody@shop.example", MESSAGE)
        with pytest.raises(MailRefused, match="530"):
            await mail_to(sandbox).send("fin@shop.example", MESSAGE)
    assert wrong.value.code == "535" and "wrong" not in str(wrong.value)
    (mail,) = sandbox.came
    assert mail.title == MESSAGE.title and MESSAGE.text in mail.text and f"{MESSAGE.url}\n" in mail.text


async def test_what_was_handed_over_and_not_confirmed_is_unknown_and_what_was_not_is_not_done() -> None:
    async with post_office() as sandbox:
        sandbox.answer = HANG_UP
        with pytest.raises(MailUnknown):
            await mail_to(sandbox).send("fin@shop.example", MESSAGE)
        starttls = Mail(MailServer("127.0.0.1", sandbox.port, "starttls", SENDER), lambda: NOW, step_s=2)
        with pytest.raises(MailUnavailable):  # it offers none: then nothing is said in the clear
            await starttls.send("fin@shop.example", MESSAGE)
    with pytest.raises(MailUnavailable):
        await mail_to(sandbox).send("fin@shop.example", MESSAGE)
    assert sandbox.came == []


def test_only_a_server_of_this_machine_is_talked_to_in_the_clear() -> None:
    given: dict[str, Any] = {"sender": SENDER, "addresses": ADDRESSES, "console_url": CONSOLE}
    assert MailSettings(host="127.0.0.1", security="none", **given).server().security == "none"
    assert MailSettings(host="mail.example", **given).server().security == "starttls"
    for wrong in (
        {"host": "mail.example", "security": "none"}, {"host": "mail.example", "username": "oms"},
        {"host": "mail.example", "sender": "oms@shop.example\r\nBcc: x@y"}, {"host": "mail.example", "addresses": {}},
    ):  # fmt: skip
        with pytest.raises(ValueError, match=r"OMS_MAIL|pattern|at least 1"):
            MailSettings(**given | wrong)
