"""Histories are decrypted for people who may read them, and every look is written down."""

import json
from collections.abc import AsyncIterator
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta
from typing import Any

import httpx
import pytest
from google.protobuf import json_format
from temporalio.api.common.v1 import Payload, Payloads

from deploy.local.logins import as_role
from domain.access.authority import READING, Binding
from domain.approvals import Role
from domain.trust.encryption import PayloadKeys
from providers.tokens.issue import issue, issue_proof, key_set, new_key, read_key
from providers.tokens.keys import GivenKeys, read_key_set
from providers.tokens.verify import Issuer, TokenVerifier
from starter.codec_server.app import LARGEST, CodecServer
from store.approvals.history_readers import HistoryReaders
from store.approvals.people import PeopleStore
from store.audit.audit import AuditStore
from store.pool import Pool, open_pool
from tests.postgres import database_url, pool
from wire.encrypted_payloads import PayloadCipher

__all__ = ["database_url", "pool"]

NOW = datetime(2026, 3, 2, tzinfo=UTC)
UI = "http://127.0.0.1:8233"
CIPHER = PayloadCipher(PayloadKeys({"2026": b"n" * 32}, own="2026"))
STRANGERS = PayloadCipher(PayloadKeys({"2026": b"x" * 32}, own="2026"))
PLAIN = Payload(metadata={"encoding": b"json/plain"}, data=b'"Canary"')


@dataclass
class Desk:
    """A codec server and whoever asks it."""

    http: httpx.AsyncClient
    books: Pool
    issuer_key: str
    oidc_key: str
    now: datetime = NOW

    def token(self, person: str = "u-ops", **changes: Any) -> str:
        how: dict[str, Any] = {
            "token_id": "t1",
            "issuer": "oms-local",
            "audience": "oms-approvals",
            "now": NOW,
        } | changes
        binding = how.pop("binding", READING)
        return issue_proof(read_key(how.pop("key", self.issuer_key)), person, binding, **how)

    async def ask(self, token: str | None, *payloads: Payload, way: str = "decode", **headers: str) -> httpx.Response:
        given = {"authorization": f"Bearer {token}"} if token else {}
        body = json_format.MessageToJson(Payloads(payloads=payloads))
        return await self.http.post(f"/{way}", content=body, headers=given | headers)

    async def reads(self) -> list[tuple[str, str | None, str]]:
        """Who, of which order, which workflow."""
        rows = await AuditStore(self.books).list()
        return [(r.actor, r.order_no, r.detail["workflow_id"]) for r in rows if r.action == "histories.read"]


@pytest.fixture
async def desk(database_url: str, pool: Pool) -> AsyncIterator[Desk]:
    """With the rights of the role that it has."""
    local, oidc = new_key(), new_key()
    keys = [GivenKeys(read_key_set(json.dumps(key_set(read_key(pem))))) for pem in (local, oidc)]
    issuers = [
        Issuer("oms-local", "oms-approvals", keys[0]),
        Issuer("https://login", "oms", keys[1], "oidc", roles_claim="groups", role_names={"ops": Role.ORDER_OPS}),
        Issuer("svc-shop", "oms-approvals", keys[0], "service"),
    ]
    people = PeopleStore(pool)
    for person, role in (("u-ops", Role.ORDER_OPS), ("u-wh", Role.WAREHOUSE)):
        await people.add(person, [role], "test", NOW)
    own = await open_pool(as_role(database_url, "oms_operator"))
    app = CodecServer(CIPHER, TokenVerifier(issuers, lambda: opened.now), HistoryReaders(own), lambda: NOW, (UI,)).app
    async with httpx.AsyncClient(transport=httpx.ASGITransport(app), base_url="http://127.0.0.1") as http:
        opened = Desk(http, pool, local, oidc)
        yield opened
    await own.close()


def shown(answer: httpx.Response) -> list[Payload]:
    assert answer.status_code == 200, answer.text
    return list(json_format.Parse(answer.content, Payloads()).payloads)


async def test_who_may_read_gets_the_words_and_leaves_a_row_a_workflow(desk: Desk) -> None:
    asked = [CIPHER.encrypted(PLAIN, workflow) for workflow in ("order/SO1", "order/SO1", "return/RT1", None)]
    assert shown(await desk.ask(desk.token(), *asked, PLAIN)) == [PLAIN] * 5
    expected = {("u-ops", "SO1", "order/SO1"), ("u-ops", None, "return/RT1"), ("u-ops", None, "unknown")}
    assert (len(await desk.reads()), {*await desk.reads()}) == (3, expected)
    await desk.ask(desk.token(), *asked)
    assert len(await desk.reads()) == 3, "the same sign-in has been written down"
    await desk.ask(desk.token(token_id="t2"), asked[0])
    assert len(await desk.reads()) == 4
    assert await AuditStore(desk.books).broken_at() is None


async def test_what_cannot_be_decrypted_comes_back_as_it_was_and_is_no_look(desk: Desk) -> None:
    foreign = STRANGERS.encrypted(PLAIN, "order/SO1")
    renamed = CIPHER.encrypted(PLAIN, "order/SO1")
    renamed.metadata["encryption-workflow-id"] = b"order/SO2"
    assert shown(await desk.ask(desk.token(), foreign, renamed)) == [foreign, renamed]
    assert await desk.reads() == []


async def test_what_is_encrypted_here_is_read_by_everybody_with_the_key(desk: Desk) -> None:
    (made,) = shown(await desk.ask(desk.token(), PLAIN, way="encode"))
    assert CIPHER.decrypted(made, "order/SO1") == PLAIN
    assert await desk.reads() == []


def refused_tokens(desk: Desk) -> dict[str, tuple[str | None, int]]:
    proof = Binding("order/SO1", "order.cancel", READING.content_hash)
    times: dict[str, Any] = {"token_id": "t", "issuer": "oms-local", "audience": "oms-approvals", "now": NOW}
    return {
        "nobody": (None, 401),
        "no token": ("x", 401),
        "a stranger's": (desk.token(key=new_key()), 401),
        "a proof of a command": (desk.token(binding=proof), 401),
        "an approval's": (issue(read_key(desk.issuer_key), "u-ops", "A-1", "0" * 64, **times), 401),
        "expired": (desk.token(now=NOW - timedelta(minutes=6)), 401),
        "a service's": (desk.token("svc-shop", issuer="svc-shop"), 401),
        "of a role that reads nothing": (desk.token("u-wh"), 403),
        "of nobody known": (desk.token("u-nobody"), 403),
    }  # fmt: skip


@pytest.mark.parametrize("way", ["decode", "encode"])
async def test_everybody_else_is_refused_and_sees_nothing(desk: Desk, way: str) -> None:
    for who, (token, status) in refused_tokens(desk).items():
        answer = await desk.ask(token, CIPHER.encrypted(PLAIN, "order/SO1"), way=way)
        assert (answer.status_code, "Canary" in answer.text) == (status, False), who
        assert "error" in answer.json()
    assert await desk.reads() == []


async def test_who_is_deactivated_reads_no_more_with_the_same_token(desk: Desk) -> None:
    asked = CIPHER.encrypted(PLAIN, "order/SO1")
    assert (await desk.ask(desk.token(), asked)).status_code == 200
    await PeopleStore(desk.books).set_active("u-ops", False, "test", NOW)
    assert (await desk.ask(desk.token(), asked)).status_code == 403


def signed_in(desk: Desk, **claims: Any) -> str:
    """As the identity provider's tokens are: bound to nothing, with groups."""
    import jwt

    key = read_key(desk.oidc_key)
    begin = int(NOW.timestamp())
    said = {"iss": "https://login", "aud": "oms", "sub": "u-new", "jti": "1", "iat": begin, "exp": begin + 600}
    return jwt.encode({**said, "groups": ["ops"], **claims}, key.private, "EdDSA", headers={"kid": key.key_id})


async def test_the_web_uis_own_sign_in_reads_and_a_proof_made_with_it_does_not(desk: Desk) -> None:
    asked = CIPHER.encrypted(PLAIN, "order/SO1")
    assert shown(await desk.ask(signed_in(desk), asked)) == [PLAIN]
    assert shown(await desk.ask(signed_in(desk, nonce=READING.nonce), asked)) == [PLAIN]
    assert (await desk.ask(signed_in(desk, nonce="of a command"), asked)).status_code == 401
    assert (await desk.ask(signed_in(desk, groups=[]), asked)).status_code == 403


async def test_a_browser_signs_in_once_and_only_the_web_uis_page_may_use_it(desk: Desk) -> None:
    asked = CIPHER.encrypted(PLAIN, "order/SO1")
    assert "令牌" in (await desk.http.get("/")).text
    assert (await desk.http.post("/", data={"token": "x"})).status_code == 401
    answer = await desk.http.post("/", data={"token": desk.token()})
    kept = answer.headers["set-cookie"].lower()
    assert answer.status_code == 200 and "httponly" in kept and "samesite=strict" in kept
    assert shown(await desk.ask(None, asked, origin=UI)) == [PLAIN]
    for origin in ({}, {"origin": "http://evil.example"}):
        assert (await desk.ask(None, asked, **origin)).status_code == 401
    desk.now = NOW + timedelta(minutes=6)
    assert (await desk.ask(None, asked, origin=UI)).status_code == 401


async def test_no_other_page_signs_anybody_in(desk: Desk) -> None:
    token = {"token": desk.token()}
    for origin in ("http://evil.example", "null", "http://127.0.0.1.evil.example"):
        answer = await desk.http.post("/", data=token, headers={"origin": origin})
        assert answer.status_code == 403 and "set-cookie" not in answer.headers
    own = await desk.http.post("/", data=token, headers={"origin": "http://127.0.0.1"})
    assert own.status_code == 200 and "secure" not in own.headers["set-cookie"].lower()


async def test_behind_a_name_the_cookie_wants_tls(desk: Desk) -> None:
    answer = await desk.http.post("http://histories.example/", data={"token": desk.token()})
    assert "secure" in answer.headers["set-cookie"].lower()


async def test_only_the_web_uis_page_is_answered_across_origins(desk: Desk) -> None:
    wish = {"access-control-request-method": "POST", "access-control-request-headers": "authorization,x-namespace"}
    allowed = await desk.http.options("/decode", headers={"origin": UI, **wish})
    assert (allowed.status_code, allowed.headers["access-control-allow-origin"]) == (200, UI)
    assert allowed.headers["access-control-allow-credentials"] == "true"
    stranger = await desk.http.options("/decode", headers={"origin": "http://evil.example", **wish})
    assert "access-control-allow-origin" not in stranger.headers
    answer = await desk.ask(desk.token(), PLAIN, origin=UI)
    assert answer.headers["access-control-allow-origin"] == UI
    assert answer.headers["cache-control"] == "no-store"


@pytest.mark.parametrize("body", [b"", b"{", b'{"payloads": 1}', b'{"other": []}', b"\xff", b"[" * 100_000])
async def test_what_is_no_list_of_payloads_is_refused(desk: Desk, body: bytes) -> None:
    answer = await desk.http.post("/decode", content=body, headers={"authorization": f"Bearer {desk.token()}"})
    assert answer.status_code == 400


async def test_no_more_is_taken_than_has_room(desk: Desk) -> None:
    headers = {"authorization": f"Bearer {desk.token()}"}
    many = b'{"payloads":[' + b"{}," * 10_000 + b"{}]}"
    for body in (b" " * (LARGEST + 1), many):
        assert (await desk.http.post("/decode", content=body, headers=headers)).status_code == 413
