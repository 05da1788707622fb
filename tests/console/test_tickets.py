"""The queue as people see it: by team, within their shops, page by page; taken and handed on; closed where it lies."""

import re
from datetime import timedelta
from typing import Any

import pytest

from domain.access.teams import Team, team_of
from domain.records import TicketRecord, TicketResolution
from store.orders.orders import OrderStore
from store.pool import Pool
from store.tickets.pages import TicketFilter, TicketPages
from store.tickets.tickets import TicketStore
from tests.console.office import Browser, Desk
from tests.store.examples import NOW, an_order

CLOSE = """UPDATE tickets SET state = 'resolved', resolved_at = now(), resolved_by = 'x', action = 'retry',
    remark = 'x'"""
BAD = "<script>alert(1)</script>"


async def opened(
    books: Pool,
    number: int,
    system: str = "qimen",
    step: str = "push outbound",
    order_no: str | None = None,
    **more: Any,
) -> str:
    ticket = TicketRecord(
        ticket_id=f"T-{number}", system=system, step=step, error=more.pop("error", "no answer"),
        give_up_means="a person has settled it with the buyer", **more,
    )  # fmt: skip
    await TicketStore(books).open_outside(ticket, order_no, NOW + timedelta(minutes=number))
    return ticket.ticket_id


async def english(desk: Desk, person: str) -> Browser:
    browser = await desk.sign_in(person)
    await browser.get("/language/en")
    return browser


def numbers(page: str) -> list[str]:
    return re.findall(r'href="/tickets/(T-[^"?]+)"', page)


async def test_the_queue_reads_in_both_languages_the_loudest_first(desk: Desk) -> None:
    await opened(desk.books, 1)
    await opened(desk.books, 2, severity="urgent")
    browser = await desk.sign_in("warehouse")
    page = (await browser.get("/tickets")).text
    assert numbers(page) == ["T-2", "T-1"] and "把包裹交给仓库" in page
    await browser.get("/language/en")
    assert "hand the parcel to the warehouse" in (await browser.get("/tickets")).text


@pytest.mark.parametrize(
    ("system", "step"),
    [
        ("qimen", "push outbound"), ("wms", "shared package"), ("wechat", "query payment"), ("wechat", "callback rate"),
        ("orders", "ship again"),
        ("kuaidi100", "courier exception"), ("store", "refund not written"), ("wms", "dead letter"), ("bank", "?"),
        ("alipay", "not in the channel's bill"), ("approvals", "approval waits"),
    ],
)  # fmt: skip
async def test_a_ticket_is_of_one_team_in_the_query_as_in_the_rule(pool: Pool, system: str, step: str) -> None:
    await opened(pool, 1, system, step)
    pages = TicketPages(pool)
    assert await pages.by_team(TicketFilter()) == {team_of(system, step): 1}
    for team in Team:
        page = await pages.page(TicketFilter(team=team), 9)
        assert bool(page.tickets) == (team is team_of(system, step))


async def test_pages_follow_each_other_without_a_gap(pool: Pool) -> None:
    for n in range(7):
        await opened(pool, n, severity="urgent" if n % 3 == 0 else "normal")
    pages, seen, cursor = TicketPages(pool), [], None
    for _ in range(4):
        page = await pages.page(TicketFilter(), 2, cursor)
        seen += [ticket.ticket_id for ticket in page.tickets]
        cursor = page.next
    assert seen == ["T-0", "T-3", "T-6", "T-1", "T-2", "T-4", "T-5"] and cursor is None


@pytest.mark.parametrize("query", ["team=kings", "severity=0", "after=x", "state=open", "older=1y", "whose=all"])
async def test_a_filter_that_does_not_exist_is_named_as_such(desk: Desk, query: str) -> None:
    browser = await desk.sign_in("order-ops")
    assert (await browser.get(f"/tickets?{query}")).status_code == 400


async def test_tickets_of_other_shops_are_not_there(desk: Desk) -> None:
    for number, channel in (("SO1001", "taobao"), ("SO1002", "jd")):
        await OrderStore(desk.books).register(an_order(number, channel=channel), "run", NOW)
    await opened(desk.books, 1, order_no="SO1001")
    await opened(desk.books, 2, order_no="SO1002")
    await opened(desk.books, 3)
    await desk.books.execute("INSERT INTO person_scopes VALUES ('cs-agent', 'channel', 'jd')")
    browser = await desk.sign_in("cs-agent")
    assert numbers((await browser.get("/tickets")).text) == ["T-2", "T-3"]
    assert (await browser.get("/tickets/T-1")).status_code == 404
    assert (await browser.post("/tickets/T-1/take")).status_code == 404
    assert (await browser.get("/tickets/T-2")).status_code == 200


async def test_a_ticket_is_taken_put_back_and_handed_on(desk: Desk) -> None:
    await opened(desk.books, 1)
    browser, other = await english(desk, "warehouse"), await english(desk, "order-ops")
    assert (await browser.post("/tickets/T-1/take")).headers["location"] == "/tickets/T-1?done=take"
    refused = await other.post("/tickets/T-1/take")
    assert refused.status_code == 409 and "Somebody else looks after it." in refused.text
    assert numbers((await browser.get("/tickets?whose=mine")).text) == ["T-1"]
    assert (await other.post("/tickets/T-1/assign", owner="finance")).status_code == 303
    assert (await other.post("/tickets/T-1/assign", owner="stranger")).status_code == 409
    assert (await other.post("/tickets/T-1/release")).status_code == 303
    page = (await other.get("/tickets/T-1")).text
    assert "Taken" in page and "Handed on" in page and "Put back" in page
    rows = [row.actor for row in await desk.audit("ticket.assign")]
    assert rows == ["order-ops"]


async def test_a_note_that_no_workflow_waits_for_is_closed_where_it_lies(desk: Desk) -> None:
    await opened(desk.books, 1, "kuaidi100", "pull", actions=("give_up",))
    browser = await english(desk, "order-ops")
    page = await browser.get("/tickets/T-1")
    assert "Then: a person has settled it with the buyer." in page.text
    empty = await browser.post("/tickets/T-1/answer", action="give_up", remark=" ", key="k")
    assert empty.status_code == 409 and "does not fit" in empty.text
    answer = await browser.post("/tickets/T-1/answer", action="give_up", remark="seen", key="k")
    assert answer.headers["location"] == "/tickets/T-1?done=give_up"
    ticket = await TicketStore(desk.books).get("T-1")
    assert ticket and (ticket.state, ticket.resolved_by, ticket.remark) == ("resolved", "order-ops", "seen")
    late = await browser.post("/tickets/T-1/answer", action="give_up", remark="again", key="k2")
    assert late.status_code == 409
    assert numbers((await browser.get("/tickets?state=resolved")).text) == ["T-1"]


async def test_what_is_said_of_money_is_finances_alone(desk: Desk) -> None:
    await opened(desk.books, 1, "wechat", "query payment")
    browser = await english(desk, "cs-agent")
    page = (await browser.get("/tickets/T-1")).text
    assert page.count('<button class="btn" disabled>Your role may not do this.') == 2
    refused = await browser.post("/tickets/T-1/answer", action="give_up", remark="no", key="k")
    assert refused.status_code == 403 and "Your role may not do this." in refused.text
    form = {"action": "supply", "remark": "seen", "key": "k", "state": "PAID", "amount": "sixty"}
    finance = await english(desk, "finance")
    refused = await finance.post("/tickets/T-1/answer", **form)
    assert refused.status_code == 409 and "sixty" in refused.text


async def test_without_workers_nothing_is_sent_and_that_is_said(desk: Desk) -> None:
    await OrderStore(desk.books).register(an_order("SO1001"), "run", NOW)
    await opened(desk.books, 1, order_no="SO1001")
    await desk.books.execute("UPDATE tickets SET outside = false")
    browser = await english(desk, "warehouse")
    refused = await browser.post("/tickets/T-1/answer", action="retry", remark="back", key="k")
    assert refused.status_code == 503 and "nothing was sent" in refused.text
    assert (await TicketStore(desk.books).list(state="open"))[0].ticket_id == "T-1"


async def test_the_console_closes_no_ticket_that_a_workflow_waits_for(desk: Desk) -> None:
    await OrderStore(desk.books).register(an_order("SO1001"), "run", NOW)
    await opened(desk.books, 1, order_no="SO1001")
    await desk.books.execute("UPDATE tickets SET outside = false")
    own: Pool = desk.app.state.wiring.pool
    with pytest.raises(Exception, match="through its workflow"):
        await own.execute(CLOSE)


async def test_many_alike_are_answered_together_with_a_result_each(desk: Desk) -> None:
    for n in range(3):
        await opened(desk.books, n, "kuaidi100", "pull", actions=("give_up",), error=BAD)
    await opened(desk.books, 9, "sf", "pull", actions=("give_up",))
    browser = await english(desk, "order-ops")
    queue = (await browser.get("/tickets")).text
    assert "/tickets/together/answer?system=kuaidi100&amp;step=pull" in queue and BAD not in queue
    before = await browser.get("/tickets/together/answer?system=kuaidi100&step=pull&action=give_up")
    assert "3 questions get the same answer" in before.text and BAD not in before.text
    faster = TicketResolution(ticket_id="T-1", action="give_up", remark="seen", resolved_by="u", result=None)
    await TicketStore(desk.books).resolve_outside(faster, NOW + timedelta(hours=1))
    form = {
        "csrf": browser.csrf,
        "system": "kuaidi100",
        "step": "pull",
        "action": "give_up",
        "key": "k",
        "remark": "back",
    }
    answer = await browser.http.post("/tickets/together/answer", data={**form, "ticket": ["T-0", "T-1", "T-2", "T-9"]})
    assert "2 were answered, 2 were not." in answer.text and "2 were no longer open." in answer.text
    assert [t.ticket_id for t in await TicketStore(desk.books).list()] == ["T-9"], "another question is not touched"
