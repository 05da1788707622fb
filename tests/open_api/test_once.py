"""A change is done once under its key: repeated, at the same time, after a crash, with another body."""

import asyncio
from typing import Any

import pytest

from console.api.problems import ApiProblem
from domain.states import OrderStatus
from store.console.api_requests import LEASE, ApiRequestStore, Mine, Told
from tests.open_api.programs import Door
from tests.returns.orders import cups, paid

pytestmark = pytest.mark.usefixtures("cancelled_at_once")


async def test_the_same_key_with_the_same_body_has_the_first_answer(door: Door) -> None:
    erp, order = await door.program(), door.order()
    first = await erp.post("/orders", order, "k1")
    again = await erp.post("/orders", order, "k1")
    assert (first.status_code, again.status_code, again.json()) == (201, 201, first.json())
    assert "idempotent-replayed" not in first.headers and again.headers["idempotent-replayed"] == "true"
    other = await erp.post("/orders", order, "k2")
    assert (other.status_code, other.json()["code"]) == (409, "DuplicateOrder"), "another wish for the same number"


async def test_the_same_key_for_something_else_is_refused(door: Door) -> None:
    erp = await door.program()
    assert (await erp.post("/orders", door.order(), "k1")).status_code == 201
    for path, body in (("/orders", door.order("SO26110002")), ("/orders/SO26110001/cancel", {"reason": "x"})):
        answer = await erp.post(path, body, "k1")
        assert (answer.status_code, answer.json()["code"]) == (422, "KEY_REUSED")
    other = await door.program(name="api/other")
    assert (await other.post("/orders", door.order("SO26110002"), "k1")).status_code == 201, (
        "keys are each program's own"
    )


async def test_a_refusal_is_told_again_as_well(door: Door) -> None:
    erp, order = await door.program(), (await paid(door.house, cups())).order.order_no
    early = await erp.post(f"/orders/{order}/confirm-receipt", {}, "k1")
    again = await erp.post(f"/orders/{order}/confirm-receipt", {}, "k1")
    assert early.status_code == again.status_code == 409 and again.headers["content-type"] == "application/problem+json"
    assert again.json() == early.json()


async def test_of_many_at_once_one_does_it_and_the_others_are_told_so(door: Door) -> None:
    erp, order = await door.program(), door.order()
    answers = await asyncio.gather(*(erp.post("/orders", order, "k1") for _ in range(12)))
    for answer in answers:
        assert answer.status_code == 201 or answer.json()["code"] == "UNDER_WAY", answer.text
        assert answer.status_code == 201 or answer.headers["retry-after"]
    assert (await erp.post("/orders", order, "k1")).status_code == 201
    assert await door.house.pool.fetchval("SELECT count(*) FROM orders") == 1


@pytest.mark.parametrize("what", ["place", "cancel"])
async def test_after_a_crash_between_doing_and_answering_it_is_done_once(
    door: Door, monkeypatch: pytest.MonkeyPatch, what: str
) -> None:
    erp = await door.program()
    path, body = "/orders", door.order("SO26110009")
    if what == "cancel":
        order = (await paid(door.house, cups())).order.order_no
        path, body = f"/orders/{order}/cancel", {"reason": "not wanted"}

    async def dies(*_asked: Any) -> Told:
        raise asyncio.CancelledError

    kept = ApiRequestStore.keep
    monkeypatch.setattr(ApiRequestStore, "keep", dies)
    with pytest.raises(asyncio.CancelledError):
        await erp.post(path, body, "k1")
    monkeypatch.setattr(ApiRequestStore, "keep", kept)
    assert (await erp.post(path, body, "k1")).json()["code"] == "UNDER_WAY", "nobody knows yet that it died"
    await door.house.pool.execute("UPDATE api_requests SET claimed_until = claimed_until - $1::interval", LEASE * 2)
    answer = await erp.post(path, body, "k1")
    assert answer.status_code in (200, 201), answer.text
    await door.house.rest()
    if what == "cancel":
        assert answer.json()["refund_minor"] == 6_000 and len(door.house.systems.refunds) == 1
        assert (await door.house.client.view(order)).status is OrderStatus.CLOSED
    else:
        assert answer.json()["payment_code"] and answer.json()["payable_minor"] == 6_000
    assert await door.house.pool.fetchval("SELECT attempt FROM api_requests") == 2


async def test_what_nobody_answered_is_asked_again_under_the_same_key(
    door: Door, monkeypatch: pytest.MonkeyPatch
) -> None:
    erp, order = await door.program(), door.order()
    real, away = door.app.state.wiring.temporal.client, True

    async def client() -> Any:
        if away:
            raise ApiProblem(503, "NO_ANSWER", "away")
        return await real()

    monkeypatch.setattr(door.app.state.wiring.temporal, "client", client)
    assert (await erp.post("/orders", order, "k1")).status_code == 503
    away = False
    assert (await erp.post("/orders", order, "k1")).status_code == 201


async def test_answers_are_kept_for_a_week_and_not_for_ever(door: Door) -> None:
    store, now = ApiRequestStore(door.house.pool), door.house.now()
    for n in range(3):
        claim = await store.claim("api/erp", f"k{n}", b"x" * 32, now)
        assert isinstance(claim, Mine)
        await store.keep("api/erp", f"k{n}", 1, Told(200, "{}"))
    await door.house.pool.execute("UPDATE api_requests SET made_at = made_at - interval '7 days' WHERE key = 'k1'")
    await door.house.pool.execute("UPDATE api_requests SET made_at = made_at - interval '9 days' WHERE key = 'k2'")
    await store.claim("api/erp", "new", b"x" * 32, now)
    rows = await door.house.pool.fetch("SELECT key FROM api_requests ORDER BY key")
    assert [row["key"] for row in rows] == ["k0", "k1", "new"]


@pytest.mark.parametrize("key", ["", "with a blank", "ü", "x" * 101])
async def test_a_change_without_a_usable_key_is_refused(door: Door, key: str) -> None:
    erp = await door.program()
    answer = await erp.http.post("/orders", json=door.order(), headers={b"idempotency-key": key.encode()})
    assert answer.status_code == 422 and answer.json()["errors"][0]["pointer"] == "header/Idempotency-Key"
