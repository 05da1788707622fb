"""Every way into the open API: for whom, and what is written down when it is refused."""

import subprocess
import sys
from pathlib import Path
from typing import Any

import pytest

from console.api.app import make_api, scopes
from console.api.contract import FILE
from console.api.problems import MEDIA
from domain.access.api_tokens import ApiScope
from tests.open_api.programs import Door

WAYS = scopes(make_api(None))
NUMBERS = {
    "order_no": "SO-NONE-1",
    "return_no": "RT-NONE-1",
    "evidence_id": "0" * 32,
    "sku": "NONE",
    "period": "2000-01",
    "kind": "health",
    "name": "NONE",
}


def filled(path: str) -> str:
    """Nothing is there under these numbers."""
    for name, value in NUMBERS.items():
        path = path.replace(f"{{{name}}}", value)
    assert "{" not in path, f"say here what {path} is filled with"
    return path


async def ask(door: Door, program: Any, method: str, path: str) -> Any:
    headers = {"idempotency-key": "k"}
    return await program.http.request(method, filled(path), json={} if method != "GET" else None, headers=headers)


async def test_without_a_token_that_counts_nothing_is_answered_and_nothing_written_down(door: Door) -> None:
    revoked = await door.program()
    await door.house.pool.execute("UPDATE api_tokens SET revoked_at = now(), revoked_by = 'u-admin'")
    late = await door.program(name="api/late")
    await door.house.pool.execute(
        "UPDATE api_tokens SET made_at = '2000-01-01', expires_at = '2000-01-02' WHERE service = 'api/late'"
    )
    gone = await door.program(name="api/gone")
    await door.house.pool.execute(
        "UPDATE people SET active = false, deactivated_at = now() WHERE person_id = 'api/gone'"
    )
    strangers = [
        revoked,
        late,
        gone,
        *(door.with_text(text) for text in ("", "nonsense", f"oms_{gone.token_no}_{'A' * 43}")),
    ]
    for method, path in WAYS:
        for stranger in strangers[:3] if path != "/orders" else strangers:
            answer = await ask(door, stranger, method, path)
            assert answer.status_code in (401, 429) and answer.headers["content-type"] == MEDIA, (
                method,
                path,
                answer.text,
            )
            assert answer.json()["request_id"] == answer.headers["x-request-id"]
    assert await door.audit("api.refused") == []


@pytest.mark.parametrize("scope", ApiScope)
async def test_every_scope_opens_its_own_addresses_and_else_leaves_a_row(door: Door, scope: ApiScope) -> None:
    program = await door.program(scope)
    refused = 0
    for (method, path), needs in WAYS.items():
        answer = await ask(door, program, method, path)
        assert needs is not None
        mine = needs.scope is scope
        wrong = answer.status_code == 403 and answer.json()["code"] == "WRONG_SCOPE"
        assert wrong != mine and answer.status_code < 500, (method, path, answer.text)
        refused += not mine
        rows = await door.audit("api.refused")
        assert len([row for row in rows if row.detail["code"] == "WRONG_SCOPE"]) == refused
        if not mine:
            assert (rows[0].actor, rows[0].detail["address"]) == ("api/erp", path)


def test_a_way_in_without_a_scope_stops_the_start(monkeypatch: pytest.MonkeyPatch) -> None:
    from fastapi import APIRouter

    from console.api import app, orders

    bare = APIRouter()
    bare.add_api_route("/forgotten", lambda: None)
    monkeypatch.setattr(orders, "router", bare)
    with pytest.raises(RuntimeError, match="/forgotten"):
        app.make_api(None)


def test_the_document_in_the_repository_is_the_one_that_is_served() -> None:
    made = subprocess.run(
        [sys.executable, "-m", "console.api.contract", "--check"], check=False, capture_output=True, cwd=Path.cwd()
    )
    assert made.returncode == 0, made.stderr.decode()
    assert '"openapi": "3.1.0"' in FILE.read_text()


async def test_everybody_may_read_the_document(door: Door) -> None:
    answer = await door.with_text("").http.get("/openapi.json")
    assert answer.status_code == 200 and answer.json()["info"]["title"]


async def test_an_answer_says_what_was_asked_and_no_page_is_answered_here(door: Door) -> None:
    erp = await door.program()
    named = await erp.http.get("/orders", headers={"x-request-id": "my-own-number-1"})
    assert named.headers["x-request-id"] == "my-own-number-1"
    made_up = await erp.http.get("/orders", headers={"x-request-id": "two words"})
    assert made_up.headers["x-request-id"] != "two words"
    for method, path, status in (
        ("GET", "/nowhere", 404),
        ("DELETE", "/orders", 405),
        ("PUT", "/orders/SO-NONE-1", 405),
    ):
        answer = await erp.http.request(method, path)
        assert (answer.status_code, answer.headers["content-type"]) == (status, MEDIA)
    cookie = await door.with_text("").http.get("/orders", headers={"cookie": "oms-console=" + "x" * 43})
    assert cookie.status_code == 401, "a session opens nothing here"
