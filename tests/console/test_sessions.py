"""Who is signed in, until when, and what a stolen or spent number is worth."""

from datetime import timedelta

import httpx
import pytest

from console.session.cookies import PLAIN_NAME, SessionCookie, hash_of, opened
from domain.access.authority import Binding
from domain.access.signing_in import TOKEN_EXCHANGE
from domain.approvals import Role
from providers.tokens.verify import TokenVerifier
from store.approvals.people import PeopleStore
from store.pool import Pool
from tests.console.office import Browser, Desk, a_desk, hire, token_in


def number_of(browser: Browser) -> str:
    number = browser.http.cookies.get(PLAIN_NAME)
    assert number
    return number


async def test_a_link_signs_its_person_in_once(desk: Desk) -> None:
    code = await desk.link("cs-agent")
    browser = desk.stranger()
    shown = await browser.get(f"/sign-in/link?as=cs-agent&code={code}")
    assert shown.status_code == 200 and PLAIN_NAME not in browser.http.cookies, "to look signs nobody in"
    answer = await browser.post("/sign-in/link", code=code, person="cs-agent")
    assert answer.status_code == 303 and "cs-agent" in (await browser.get("/")).text
    again = await desk.stranger().post("/sign-in/link", code=code, person="cs-agent")
    assert again.status_code == 401
    assert [row.actor for row in await desk.audit("console.signed_in")] == ["cs-agent"]


async def test_the_same_sign_in_under_two_numbers_serves_once(desk: Desk) -> None:
    await desk.sign_in("cs-agent", token_id="same")
    code = await desk.link("cs-agent", token_id="same")
    assert (await desk.stranger().post("/sign-in/link", code=code, person="cs-agent")).status_code == 401


async def test_a_link_that_shows_another_name_signs_nobody_in(desk: Desk) -> None:
    code = await desk.link("cs-agent")
    assert (await desk.stranger().post("/sign-in/link", code=code, person="admin")).status_code == 401


@pytest.mark.parametrize("person", ["nobody", "gone"])
async def test_who_is_not_known_or_deactivated_is_not_signed_in(desk: Desk, person: str) -> None:
    people = PeopleStore(desk.books)
    await people.add("gone", [Role.CS_AGENT], "test", desk.now)
    await people.set_active("gone", False, "test", desk.now)
    code = await desk.link(person)
    answer = await desk.stranger().post("/sign-in/link", code=code, person=person)
    assert answer.status_code == 401 and PLAIN_NAME not in answer.cookies


async def test_after_signing_out_the_number_opens_nothing(desk: Desk) -> None:
    browser = await desk.sign_in("cs-agent")
    thief = desk.stranger()
    thief.http.cookies.set(PLAIN_NAME, number_of(browser))
    assert (await thief.get("/")).status_code == 200
    assert (await browser.post("/sign-out")).headers["location"] == "/sign-in"
    assert (await thief.http.get("/")).status_code == 401
    assert PLAIN_NAME not in browser.http.cookies
    assert [row.actor for row in await desk.audit("console.signed_out")] == ["cs-agent"]


async def test_who_is_deactivated_is_out_at_once_and_stays_out(desk: Desk) -> None:
    browser, people = await desk.sign_in("cs-agent"), PeopleStore(desk.books)
    await people.set_active("cs-agent", False, "test", desk.now)
    assert (await browser.http.get("/")).status_code == 401
    await people.set_active("cs-agent", True, "test", desk.now)
    assert (await browser.http.get("/")).status_code == 401, "they sign in anew"


async def test_a_role_that_is_taken_counts_at_once(desk: Desk) -> None:
    browser = await desk.sign_in("cs-agent")
    assert (await browser.get("/orders")).status_code == 200
    await PeopleStore(desk.books).set_role("cs-agent", Role.CS_AGENT, False, "test", desk.now)
    assert (await browser.get("/orders")).status_code == 403


async def test_a_session_ends_when_it_is_idle_and_when_it_is_old(database_url: str, pool: Pool) -> None:
    await hire(pool)
    async with a_desk(database_url, pool, idle_s=600, longest_s=1_500) as desk:
        idle, busy = await desk.sign_in("cs-agent"), await desk.sign_in("finance")
        for minutes in (9, 9):
            desk.now += timedelta(minutes=minutes)
            assert (await busy.get("/")).status_code == 200
        assert (await idle.http.get("/")).status_code == 401
        desk.now += timedelta(minutes=8)
        assert (await busy.http.get("/")).status_code == 401, "however busy"


async def test_the_books_hold_nothing_that_signs_in_or_proves(desk: Desk) -> None:
    browser = await desk.sign_in("cs-agent")
    number = number_of(browser)
    (row,) = await desk.books.fetch("SELECT * FROM console_sessions")
    assert row["session_hash"] == hash_of(number) and number.encode() not in bytes(row["credential"])
    assert opened(number, row["credential"]) and opened(hash_of(number).hex(), row["credential"]) is None


async def test_the_cookie_is_for_this_host_alone_and_for_no_script(database_url: str, pool: Pool) -> None:
    await hire(pool)
    async with a_desk(database_url, pool) as desk:
        answer = await desk.stranger().post("/sign-in/link", code=await desk.link("finance"), person="finance")
        cookie = answer.headers["set-cookie"].lower()
        assert "httponly" in cookie and "samesite=lax" in cookie and "secure" not in cookie
    assert SessionCookie("https://console.example").name == f"__Host-{PLAIN_NAME}"


async def test_a_proof_is_made_for_the_person_of_the_session_and_one_command(desk: Desk) -> None:
    browser = await desk.sign_in("cs-agent")
    (row,) = await desk.books.fetch("SELECT credential FROM console_sessions")
    credential = opened(number_of(browser), row["credential"])
    assert credential is not None
    wanted = Binding("order/SO1", "order.cancel", "a" * 64)
    form = {
        "grant_type": TOKEN_EXCHANGE, "subject_token": credential, "workflow_id": wanted.workflow_id,
        "command": wanted.command, "content_hash": wanted.content_hash,
    }  # fmt: skip
    proof = (await desk.issuer.post("/token", data=form)).json()["access_token"]
    verifier: TokenVerifier = desk.app.state.wiring.verifier
    assert (await verifier.verify_command(proof, wanted)).person_id == "cs-agent"
    for subject in (proof, desk.sign_in_token("finance", "t-9"), "nonsense"):
        answer: httpx.Response = await desk.issuer.post("/token", data=form | {"subject_token": subject})
        assert answer.status_code == 400, "neither a proof nor a sign-in makes proofs"
    assert token_in((await browser.get("/")).text) == browser.csrf
