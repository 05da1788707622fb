"""Every way into the console: for whom, from where, how large; and what is written down when it is refused."""

import re
from collections.abc import AsyncIterator

import pytest

from console.app import make_app
from console.security.access import open_to_everybody, ways_in
from console.security.forms import LARGEST, own_path
from store.orders.orders import OrderStore
from tests.console.office import STAFF, URL, Desk
from tests.store.examples import ADDRESS, NOW, an_order

STREAMS = {"/live"}
"""They do not end by themselves."""


def filled(path: str) -> str:
    """An address of a way in; nothing is there under these numbers."""
    known = {"language": "zh", "act": "cancel"}
    return re.sub(r"\{(\w+)(?::path)?\}", lambda name: known.get(name[1], "SO-NONE"), path)


async def test_a_stranger_sees_the_sign_in_and_nothing_else(desk: Desk) -> None:
    stranger = desk.stranger()
    for (method, path), needs in ways_in(desk.app).items():
        answer = await stranger.http.request(method, filled(path))
        assert needs is not None or open_to_everybody(path)
        if needs is not None:
            assert (path, answer.status_code) == (path, 401)
    page = await stranger.get("/orders?status=CLOSED")
    assert (page.status_code, page.headers["location"]) == (303, "/sign-in?next=%2Forders%3Fstatus%3DCLOSED")
    assert await desk.audit("console.refused") == [], "a stranger fills no table"


@pytest.mark.parametrize("person", STAFF)
async def test_every_role_sees_what_is_its_own_and_else_leaves_a_row(desk: Desk, person: str) -> None:
    browser = await desk.sign_in(person)
    refused = 0
    for (method, path), needs in ways_in(desk.app).items():
        if needs is None or path in STREAMS:
            continue
        answer = await browser.http.request(
            method, filled(path), data={"csrf": browser.csrf} if method == "POST" else None
        )
        mine = STAFF[person] in needs.roles
        assert (answer.status_code == 403) != mine, (method, path, answer.status_code)
        assert answer.status_code < 500, (method, path, answer.text[:500])
        refused += not mine
        rows = await desk.audit("console.refused")
        assert len(rows) == refused
        if not mine:
            assert (rows[0].actor, rows[0].detail["page"], rows[0].detail["code"]) == (person, path, "WRONG_ROLE")


def test_a_way_in_that_does_not_say_whom_it_is_for_stops_the_start(desk: Desk) -> None:
    desk.app.add_api_route("/forgotten", lambda: None)
    from console.security.access import insist_on_walls

    with pytest.raises(RuntimeError, match="/forgotten"):
        insist_on_walls(desk.app)
    make_app(desk.app.state.wiring)


@pytest.mark.parametrize(
    "headers",
    [
        {"origin": "https://evil.example"},
        {"origin": "null"},
        {"origin": URL, "sec-fetch-site": "cross-site"},
        {"sec-fetch-site": "same-site"},
    ],
)
async def test_a_form_of_another_page_does_nothing(desk: Desk, headers: dict[str, str]) -> None:
    browser = await desk.sign_in("cs-agent")
    answer = await browser.http.post("/sign-out", data={"csrf": browser.csrf}, headers=headers)
    assert answer.status_code == 403
    assert (await browser.get("/")).status_code == 200


@pytest.mark.parametrize("given", [{}, {"csrf": "0" * 64}, {"csrf": "ü"}])
async def test_a_form_without_the_sessions_token_does_nothing(desk: Desk, given: dict[str, str]) -> None:
    browser = await desk.sign_in("cs-agent")
    other = await desk.sign_in("finance")
    for form in (given, {"csrf": other.csrf}):
        assert (await browser.http.post("/sign-out", data=form, headers={"origin": URL})).status_code == 403
    assert (await browser.get("/")).status_code == 200
    wrong_header = {"origin": URL, "x-csrf-token": "0" * 64}
    answer = await browser.http.post("/sign-out", data={"csrf": browser.csrf}, headers=wrong_header)
    assert answer.status_code == 403, "a script's header counts, not the field beside it"


async def test_every_answer_says_what_browsers_may_do_with_it(desk: Desk) -> None:
    browser = await desk.sign_in("cs-agent")
    for path in ("/", "/orders", "/sign-in", "/nowhere", "/static/console.css", "/healthz"):
        answer = await browser.get(path)
        policy = answer.headers["content-security-policy"]
        assert "default-src 'none'" in policy and "unsafe" not in policy and "http" not in policy
        assert answer.headers["x-content-type-options"] == "nosniff"
        kept = "max-age" in answer.headers["cache-control"]
        assert kept == path.startswith("/static") and (kept or answer.headers["cache-control"] == "no-store")
    assert "strict-transport-security" not in answer.headers, "only over https"


async def test_another_name_that_points_here_is_not_answered(desk: Desk) -> None:
    browser = await desk.sign_in("cs-agent")
    assert (await browser.get("/", host="evil.example")).status_code == 400
    assert (await browser.get("/", host="localhost:8090")).status_code == 200


async def test_what_is_too_large_is_not_read(desk: Desk) -> None:
    browser = await desk.sign_in("cs-agent")

    async def endless() -> AsyncIterator[bytes]:
        for _ in range(LARGEST // 2**19 + 2):
            yield b"a=" + b"x" * 2**19 + b"&"

    form = {"content-type": "application/x-www-form-urlencoded", "origin": URL}
    answer = await browser.http.post("/sign-out", content=endless(), headers=form)
    assert answer.status_code == 413


@pytest.mark.parametrize(
    "wanted",
    [
        "https://evil.example", "//evil.example", "/\\evil.example", "\\\\evil.example", "/\tevil", "javascript:1",
        "/%5cevil\\", "http:/evil", "///evil.example", "", "orders",
    ],
)  # fmt: skip
async def test_nobody_is_sent_to_another_site(desk: Desk, wanted: str) -> None:
    assert own_path(wanted) == "/"
    answer = await desk.stranger().http.get("/language/en", params={"next": wanted})
    assert answer.headers["location"] == "/"


async def test_what_buyers_write_is_text(desk: Desk, database_url: str) -> None:
    bad = '<script>alert("x")</script>'
    address = ADDRESS.model_copy(update={"recipient": bad})
    order = an_order("SO-BAD", address=address)
    await OrderStore(desk.books).register(order, "run", NOW)
    await desk.books.execute("UPDATE orders SET waiting_for = '<img src=x>', buyer_id = '<b>1</b>'")
    browser = await desk.sign_in("cs-agent")
    page = (await browser.get(f"/orders?q={bad}")).text
    page += (await browser.get("/orders")).text
    assert "<script>alert" not in page and "<img src=x" not in page and "<b>1</b>" not in page
    assert "&lt;b&gt;1&lt;/b&gt;" in page
