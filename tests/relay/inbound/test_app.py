"""What the door lets in, and what it says to everything else: never a 500, never a stack trace, no state changed."""

import asyncio
import time
from ipaddress import ip_network

import asyncpg
import httpx
from temporalio.client import Client

from domain.access.addresses import Addresses
from providers.callbacks import Receiver
from providers.tms.receiver import TmsReceiver
from store.pool import Pool
from store.tickets.tickets import TicketStore
from tests.relay.conftest import Running, running
from tests.relay.hmac_source import HmacReceiver, fact, message, sign, signed


async def rows(pool: Pool) -> int:
    return int(await pool.fetchval("SELECT count(*) FROM inbox"))


async def refusals(pool: Pool) -> list[tuple[str, str, str]]:
    found = await pool.fetch("SELECT source, remote_ip, reason FROM inbox_refusals ORDER BY id")
    return [(r["source"], r["remote_ip"], r["reason"]) for r in found]


async def test_a_callback_is_stored_before_it_is_acknowledged(door: Running, pool: Pool) -> None:
    answer = await door.http.post("/hooks/shop", **signed("e-1", fact("k-1", "SO20261120"), scans=("a", "b")))
    assert (answer.status_code, answer.text) == (200, "thank you")
    row = await pool.fetchrow("SELECT source, event_id, kind, body, facts FROM inbox")
    assert row is not None
    assert (row["source"], row["event_id"], row["kind"]) == ("shop", "e-1", "told")
    assert row["facts"][0]["key"] == "k-1"
    assert bytes(row["body"]) == message("e-1", fact("k-1", "SO20261120"), scans=("a", "b"))
    assert await pool.fetchval("SELECT count(*) FROM courier_traces") == 2


async def test_ten_copies_of_a_message_are_one_row_and_ten_thanks(door: Running, pool: Pool) -> None:
    copies = [door.http.post("/hooks/shop", **signed("e-1", fact("k-1", "SO20261120"))) for _ in range(10)]
    assert {answer.status_code for answer in await asyncio.gather(*copies)} == {200}
    assert await rows(pool) == 1


async def test_another_message_under_a_used_id_is_refused_and_a_person_is_asked(door: Running, pool: Pool) -> None:
    await door.http.post("/hooks/shop", **signed("e-1", fact("k-1", "SO20261120", amount_minor=100)))
    for _ in range(2):
        second = await door.http.post("/hooks/shop", **signed("e-1", fact("k-1", "SO20261120", amount_minor=999)))
        assert (second.status_code, second.text) == (409, "no: conflict")
    kept = await pool.fetch("SELECT state, via FROM inbox ORDER BY id")
    assert [row["state"] for row in kept][1:] == ["conflicting"], "kept once, for a person to look at"
    assert await refusals(pool) == [("shop", "127.0.0.1", "conflict")] * 2
    (ticket,) = await TicketStore(pool).list()
    assert (ticket.step, ticket.severity, ticket.outside) == ("conflicting event", "urgent", True)


async def test_a_forged_message_is_refused_in_the_sources_words_and_noted(door: Running, pool: Pool) -> None:
    body = message("e-1", fact("k-1", "SO20261120"))
    answer = await door.http.post("/hooks/shop", content=body, headers=sign(body + b" "))
    assert (answer.status_code, answer.text) == (401, "no: signature")
    assert await rows(pool) == 0
    assert await refusals(pool) == [("shop", "127.0.0.1", "signature")]


async def test_an_unknown_event_type_is_kept_and_acknowledged(door: Running, pool: Pool) -> None:
    assert (await door.http.post("/hooks/shop", **signed("e-1"))).status_code == 200
    assert await pool.fetchval("SELECT state FROM inbox") == "kept"


async def test_a_source_that_nobody_knows_is_404(door: Running, pool: Pool) -> None:
    answer = await door.http.post("/hooks/no-such", content=b"x")
    assert answer.status_code == 404
    assert "no such source" in answer.json()["error"]
    assert await refusals(pool) == []


NO_MESSAGES = (
    b"",
    b"[" * 100_000,
    b'{"id":' * 50_000,
    b"\xff\xfe{\x00}\x00",
    b"\xef\xbb\xbf{}",
    b"\xc3\x28",
    b'{"id":"a","id":"b","kind":"k"}',
    b'{"id":NaN,"kind":"k"}',
    b'{"id":1e999,"kind":"k"}',
    b'{"id":' + b"9" * 5_000 + b"}",
    b"\x1f\x8b\x08\x00",
    b"\x00" * 1_000,
)


async def test_bytes_that_are_no_message_are_refused_even_when_signed(door: Running, pool: Pool) -> None:
    for body in NO_MESSAGES:
        answer = await door.http.post("/hooks/shop", content=body, headers=sign(body))
        assert answer.status_code == 400, body[:40]
        assert "Traceback" not in answer.text
    assert await rows(pool) == 0
    assert await refusals(pool) == [("shop", "127.0.0.1", "malformed")] * len(NO_MESSAGES)


async def test_a_nul_character_in_a_message_blocks_nothing(door: Running, pool: Pool) -> None:
    odd = signed("e\x00-1", fact("k\x00-1", "SO20261120", note="a\x00b"), scans=("s\x00",))
    answers = await asyncio.gather(
        door.http.post("/hooks/shop", **odd), door.http.post("/hooks/shop", **signed("e-2", fact("k-2")))
    )
    assert [a.status_code for a in answers] == [200, 200]
    assert await rows(pool) == 2


async def test_a_receiver_that_breaks_is_a_refusal_not_a_500(door: Running, pool: Pool) -> None:
    answer = await door.http.post("/hooks/broken", content=b"x")
    assert (answer.status_code, answer.text) == (400, "no: unreadable")
    assert await refusals(pool) == [("broken", "127.0.0.1", "unreadable")]


async def test_only_post_is_taken(door: Running) -> None:
    for method in ("GET", "PUT", "DELETE", "TRACE", "PATCH"):
        answer = await door.http.request(method, "/hooks/shop", headers={"x-http-method-override": "POST"})
        assert answer.status_code == 405


async def test_a_callers_word_on_its_own_address_is_not_taken(door: Running, pool: Pool) -> None:
    lies = {"x-forwarded-for": "101.226.103.1", "x-user-id": "root"}
    await door.http.post("/hooks/shop", content=b"x", headers=lies)
    assert await refusals(pool) == [("shop", "127.0.0.1", "signature")]


async def test_a_caller_from_a_foreign_network_is_403_and_noted(pool: Pool, nowhere: Client) -> None:
    addresses = Addresses({"shop": [ip_network("101.226.103.0/24")]}, [ip_network("127.0.0.1/32")])
    async with running(pool, nowhere, addresses=addresses) as started:
        for caller, status in (("101.226.103.9", 200), ("8.8.8.8", 403)):
            arguments = dict(signed(f"e-{caller}", fact("k-1", "SO20261120")))
            headers = {**arguments.pop("headers"), "x-forwarded-for": f"1.1.1.1, {caller}"}
            answer = await started.http.post("/hooks/shop", headers=headers, **arguments)
            assert answer.status_code == status
    assert await refusals(pool) == [("shop", "8.8.8.8", "foreign_ip")]


async def test_the_line_of_a_caller_does_not_hide_the_line_of_the_proxy(pool: Pool, nowhere: Client) -> None:
    """Proxies append to the header or add one of their own: all lines are one list, its last address is the proxy's."""
    addresses = Addresses({"shop": [ip_network("101.226.103.0/24")]}, [ip_network("127.0.0.1/32")])
    async with running(pool, nowhere, addresses=addresses) as started:
        arguments = dict(signed("e-1", fact("k-1", "SO20261120")))
        mine = [(name, value) for name, value in arguments.pop("headers").items()]
        lines = [*mine, ("x-forwarded-for", "101.226.103.9"), ("x-forwarded-for", "8.8.8.8")]
        assert (await started.http.post("/hooks/shop", headers=lines, **arguments)).status_code == 403
    assert await refusals(pool) == [("shop", "8.8.8.8", "foreign_ip")]


async def test_without_the_database_the_answer_is_503_and_quick(pool: Pool, database_url: str, door: Running) -> None:
    assert (await door.http.get("/readyz")).status_code == 200
    name = database_url.rsplit("/", 1)[-1].split("?", maxsplit=1)[0]
    admin = await asyncpg.connect(database_url.replace(f"/{name}", "/postgres"))
    await admin.execute(f"ALTER DATABASE {name} ALLOW_CONNECTIONS false")
    await admin.execute("SELECT pg_terminate_backend(pid) FROM pg_stat_activity WHERE datname = $1", name)
    began = time.monotonic()
    refused = await door.http.post("/hooks/shop", **signed("e-1", fact("k-1", "SO20261120")))
    assert time.monotonic() - began < 5
    assert (await door.http.get("/readyz")).status_code == 503
    assert (await door.http.get("/healthz")).status_code == 200
    await admin.execute(f"ALTER DATABASE {name} ALLOW_CONNECTIONS true")
    await admin.close()
    assert refused.status_code == 503
    assert refused.headers["retry-after"]
    again = await door.http.post("/hooks/shop", **signed("e-1", fact("k-1", "SO20261120")))
    assert again.status_code == 200
    assert await rows(pool) == 1


async def test_a_database_that_hangs_is_answered_503_in_time(pool: Pool, nowhere: Client) -> None:
    async with running(pool, nowhere, store_s=0.5) as started, pool.acquire() as connection, connection.transaction():
        await connection.execute("LOCK TABLE inbox IN ACCESS EXCLUSIVE MODE")
        began = time.monotonic()
        answer = await started.http.post("/hooks/shop", **signed("e-1", fact("k-1", "SO20261120")))
        assert (answer.status_code, time.monotonic() - began < 3) == (503, True)


async def test_an_unforeseen_fault_of_a_real_receiver_is_still_no_500(pool: Pool, nowhere: Client) -> None:
    tms: dict[str, Receiver] = {"tms": TmsReceiver(["whsec_MfKQ9r8GKYqrTwjUPD8ILPZIo2LaLaSw"])}
    async with running(pool, nowhere, receivers=tms) as started:
        for signature in ("v1", "v1,%%%", "v1," + "A" * 9_000, "v1,\xe9", " ".join(["v1,AAAA"] * 1_000)):
            headers = httpx.Headers(
                [
                    (b"webhook-id", b"m-1"),
                    (b"webhook-timestamp", b"nan"),
                    (b"webhook-signature", signature.encode("latin-1")),
                ]
            )
            answer = await started.http.post("/hooks/tms", content=b"{}", headers=headers)
            assert 400 <= answer.status_code < 500


async def test_metrics_count_by_source_and_name_no_order(door: Running) -> None:
    await door.http.post("/hooks/shop", **signed("e-1", fact("k-1", "SO20261120")))
    text = (await door.http.get("/metrics")).text
    assert 'oms_callbacks_received_total{source="shop"}' in text
    assert "SO20261120" not in text


def test_the_fake_source_keeps_the_contract() -> None:
    receiver: Receiver = HmacReceiver()
    assert receiver.source == "shop"
