"""One POST and no way around its checks (faults 79 to 83)."""

import asyncio
import ssl
import time
from collections.abc import AsyncIterator, Sequence
from contextlib import asynccontextmanager
from datetime import UTC, datetime, timedelta
from ipaddress import IPv4Address
from pathlib import Path

import pytest
from cryptography import x509
from cryptography.hazmat.primitives import hashes, serialization
from cryptography.hazmat.primitives.asymmetric import ec
from cryptography.x509.oid import NameOID
from starlette.applications import Starlette
from starlette.responses import Response
from starlette.routing import Route

from domain.outbound.webhook_target import Reach
from relay.outbound.safe_post import NoReply, PostAnswer, Poster, Resolve
from tests.outbound.conftest import HERE, Clock, Receiver, free_port, serving

BODY = b'{"type":"x"}'


@asynccontextmanager
async def a_poster(
    reach: Reach = HERE, resolve: Resolve | None = None, tls: ssl.SSLContext | None = None, deadline_s: float = 2
) -> AsyncIterator[Poster]:
    poster = Poster(reach, deadline_s=deadline_s, clock=Clock(), resolve=resolve, tls=tls)
    try:
        yield poster
    finally:
        await poster.close()


def standing_for(*addresses: str) -> Resolve:
    async def resolve(host: str, port: int) -> Sequence[str]:
        return addresses

    return resolve


async def refused(poster: Poster, url: str) -> NoReply:
    with pytest.raises(NoReply) as why:
        await poster.post(url, {}, BODY)
    return why.value


async def test_a_redirect_is_an_answer_and_is_not_followed(receiver: Receiver) -> None:
    receiver.says(307, location=receiver.url)
    async with a_poster() as poster:
        assert await poster.post(receiver.url, {}, BODY) == PostAnswer(307)
    assert len(receiver.heard) == 1


@pytest.mark.parametrize("host", ["localhost", "127.0.0.1", "[::1]", "[::ffff:127.0.0.1]", "127.1", "2130706433"])
async def test_this_machine_hears_nothing_unless_it_is_opened(receiver: Receiver, host: str) -> None:
    ports = frozenset({443, int(receiver.url.split(":")[2].split("/")[0])})
    async with a_poster(Reach(ports=ports)) as poster:
        why = await refused(poster, f"https://{host}:{max(ports)}/hook?token=hush")
    assert why.outcome == "unsafe"
    assert "hush" not in str(why)
    assert receiver.heard == []


async def test_one_bad_address_among_good_ones_is_enough(receiver: Receiver) -> None:
    async with a_poster(resolve=standing_for("127.0.0.1", "169.254.169.254")) as poster:
        assert (await refused(poster, receiver.url.replace("127.0.0.1", "hooks.example"))).outcome == "unsafe"
    assert receiver.heard == []


async def test_the_name_is_resolved_once_and_the_connection_goes_to_what_was_checked(receiver: Receiver) -> None:
    asked: list[str] = []

    async def rebinding(host: str, port: int) -> Sequence[str]:
        asked.append(host)
        return ["127.0.0.1"] if len(asked) == 1 else ["169.254.169.254"]

    async with a_poster(resolve=rebinding) as poster:
        url = receiver.url.replace("127.0.0.1", "hooks.example")
        assert (await poster.post(url, {}, BODY)).status == 204
        assert asked == ["hooks.example"]
        assert receiver.heard[0].headers["host"] == url.split("/")[2]
        assert (await refused(poster, url)).outcome == "unsafe"
    assert len(receiver.heard) == 1


async def test_the_next_address_is_tried_while_nothing_was_sent(receiver: Receiver) -> None:
    async with a_poster(resolve=standing_for("127.0.0.2", "127.0.0.1")) as poster:
        assert (await poster.post(receiver.url.replace("127.0.0.1", "hooks.example"), {}, BODY)).status == 204


async def test_nobody_listens_or_nobody_knows_the_name() -> None:
    async def unknown(host: str, port: int) -> Sequence[str]:
        raise OSError("no such name")

    async with a_poster() as poster, a_poster(resolve=unknown) as nameless:
        assert (await refused(poster, f"http://127.0.0.1:{free_port()}/")).outcome == "unreachable"
        assert (await refused(nameless, "https://hooks.example/")).outcome == "unreachable"


async def test_cookies_of_one_receiver_are_not_brought_to_another(receiver: Receiver) -> None:
    receiver.says(204, set_cookie="session=of-somebody")
    async with a_poster() as poster:
        for _ in range(2):
            await poster.post(receiver.url, {}, BODY)
    assert [h.headers.get("cookie") for h in receiver.heard] == [None, None]


async def _raw(answer: bytes, forever: bytes = b"", pause_s: float = 0.0) -> tuple[asyncio.Server, str, list[int]]:
    sent: list[int] = [0]

    async def talk(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        try:
            await reader.readuntil(BODY)
            writer.write(answer)
            while forever:
                writer.write(forever)
                await writer.drain()
                sent[0] += len(forever)
                await asyncio.sleep(pause_s)
            await writer.drain()
        except ConnectionError:
            pass
        finally:
            writer.close()

    server = await asyncio.start_server(talk, "127.0.0.1", 0)
    return server, f"http://127.0.0.1:{server.sockets[0].getsockname()[1]}/", sent


@pytest.mark.parametrize(
    ("answer", "forever", "pause_s"),
    [
        (b"HTTP/1.1 200 OK\r\ncontent-length: 100000000000\r\n\r\n", b"x" * 65536, 0.0),
        (b"HTTP/1.1 200 OK\r\ntransfer-encoding: chunked\r\n\r\n", b"1\r\nx\r\n", 0.05),
        (b"HTTP/1.1 200 OK\r\ncontent-encoding: gzip\r\n\r\n", b"garbage", 0.05),
    ],
    ids=["endless", "dripping", "garbage"],
)
async def test_an_answer_without_end_is_left_after_its_status(answer: bytes, forever: bytes, pause_s: float) -> None:
    server, url, sent = await _raw(answer, forever, pause_s)
    began = time.monotonic()
    async with server, a_poster(deadline_s=5) as poster:
        assert (await poster.post(url, {}, BODY)).status == 200
    assert time.monotonic() - began < 4
    assert sent[0] < 20_000_000  # what fits into the sockets' buffers


@pytest.mark.parametrize(
    ("answer", "forever", "pause_s", "outcome"),
    [
        (b"", b"", 0.0, "broken off"),
        (b"no http at all\r\n\r\n", b"", 0.0, "broken off"),
        (b"HTTP/1.1 200 OK\r\n", b"x-more: y\r\n" * 1000, 0.0, "broken off"),
        (b"HTTP/1.1 ", b"2", 0.3, "timeout"),
    ],
    ids=["nothing", "nonsense", "endless headers", "dripping status"],
)
async def test_no_status_is_no_answer(answer: bytes, forever: bytes, pause_s: float, outcome: str) -> None:
    server, url, _ = await _raw(answer, forever, pause_s)
    async with server, a_poster(deadline_s=1) as poster:
        assert (await refused(poster, url)).outcome == outcome


async def test_a_receiver_that_is_slow_is_left_in_time(receiver: Receiver) -> None:
    receiver.takes_s = 5
    async with a_poster(deadline_s=0.3) as poster:
        assert (await refused(poster, receiver.url)).outcome == "timeout"


async def test_a_name_server_that_hangs_counts_into_the_time() -> None:
    async def hanging(host: str, port: int) -> Sequence[str]:
        await asyncio.sleep(60)
        return []

    async with a_poster(resolve=hanging, deadline_s=0.2) as poster:
        assert (await refused(poster, "https://hooks.example/")).outcome == "timeout"


@pytest.mark.parametrize(
    ("text", "seconds"),
    [("7", 7.0), ("0", 0.0), ("soon", None), ("-5", None), ("", None), ("99999999999", None), ("１", None)],
)
async def test_retry_after_is_read_when_it_can_be(receiver: Receiver, text: str, seconds: float | None) -> None:
    receiver.answer = lambda _: _with_header(503, text)
    async with a_poster() as poster:
        assert await poster.post(receiver.url, {}, BODY) == PostAnswer(503, seconds)


async def test_retry_after_may_be_a_date(receiver: Receiver) -> None:
    until = datetime.now(UTC) + timedelta(seconds=90)
    receiver.says(503, retry_after=until.strftime("%a, %d %b %Y %H:%M:%S GMT"))
    async with a_poster() as poster:
        answer = await poster.post(receiver.url, {}, BODY)
    assert answer.retry_after_s is not None
    assert 80 < answer.retry_after_s <= 90


def _with_header(status: int, text: str) -> Response:
    response = Response(status_code=status)
    response.raw_headers.append((b"retry-after", text.encode()))
    return response


def certified(folder: Path, *names: str) -> tuple[ssl.SSLContext, dict[str, str]]:
    """Who trusts the certificate, and how a server shows it."""
    key = ec.generate_private_key(ec.SECP256R1())
    subject = x509.Name([x509.NameAttribute(NameOID.COMMON_NAME, "a receiver")])
    today = datetime.now(UTC)
    alternatives: list[x509.GeneralName] = [x509.DNSName(n) for n in names if not n[0].isdigit()]
    alternatives += [x509.IPAddress(IPv4Address(n)) for n in names if n[0].isdigit()]
    certificate = (
        x509.CertificateBuilder()
        .subject_name(subject)
        .issuer_name(subject)
        .public_key(key.public_key())
        .serial_number(x509.random_serial_number())
        .not_valid_before(today - timedelta(days=1))
        .not_valid_after(today + timedelta(days=1))
        .add_extension(x509.SubjectAlternativeName(alternatives), critical=False)
        .sign(key, hashes.SHA256())
    )
    pem = serialization.Encoding.PEM
    shown, kept = folder / "certificate.pem", folder / "key.pem"
    shown.write_bytes(certificate.public_bytes(pem))
    kept.write_bytes(key.private_bytes(pem, serialization.PrivateFormat.PKCS8, serialization.NoEncryption()))
    return ssl.create_default_context(cafile=str(shown)), {"ssl_certfile": str(shown), "ssl_keyfile": str(kept)}


@pytest.mark.parametrize(("name", "fits"), [("hooks.example", True), ("other.example", False), ("127.0.0.1", False)])
async def test_the_certificate_is_the_names_though_the_connection_goes_to_an_address(
    tmp_path: Path, name: str, fits: bool
) -> None:
    trust, shown = certified(tmp_path, name)
    receiver = Receiver()
    app = Starlette(routes=[Route("/hook", receiver.hear, methods=["POST"])])
    async with serving(app, **shown) as port, a_poster(resolve=standing_for("127.0.0.1"), tls=trust) as poster:
        url = f"https://hooks.example:{port}/hook"
        if fits:
            assert (await poster.post(url, {}, BODY)).status == 204
        else:
            why = await refused(poster, url)
            assert why.outcome == "unreachable"
            assert "certificate" in str(why)
    assert len(receiver.heard) == int(fits)


async def test_an_authority_that_nobody_trusts_is_refused(tmp_path: Path) -> None:
    _, shown = certified(tmp_path, "hooks.example")
    receiver = Receiver()
    app = Starlette(routes=[Route("/hook", receiver.hear, methods=["POST"])])
    async with serving(app, **shown) as port, a_poster(resolve=standing_for("127.0.0.1")) as poster:
        assert "certificate" in str(await refused(poster, f"https://hooks.example:{port}/hook"))
    assert receiver.heard == []
