"""A company's mail server: takes mail for its own people by SMTP, and shows it.

Settings (SANDBOX_MAIL_*): SMTP_PORT (0: a free one), USERNAME and PASSWORD (without them nobody has to sign in), PEOPLE
(comma list of addresses; without it everybody's mail is taken). `GET /_sent`: what came, as a page for browsers.
`POST /_away` with `answer`: what is said to every recipient instead, such as `451 later`; `hang up` ends the talk once
the mail is handed over; nothing: as usual.
"""

import asyncio
import base64
import contextlib
import html
from collections.abc import AsyncIterator
from dataclasses import asdict, dataclass
from email import message_from_bytes, policy
from urllib.parse import parse_qsl

from starlette.applications import Starlette
from starlette.requests import Request
from starlette.responses import JSONResponse, Response
from starlette.routing import Route

from sandbox.core.settings import Settings
from sandbox.messengers.people import page, wants_page

HANG_UP = "hang up"


@dataclass(frozen=True)
class CameMail:
    to: str
    sender: str
    title: str
    text: str


@dataclass
class _Talk:
    """`knows`: who it is has signed in, where that is asked."""

    reader: asyncio.StreamReader
    writer: asyncio.StreamWriter
    knows: bool
    sender: str = ""
    to: str = ""


class MailSandbox:
    def __init__(self, settings: Settings) -> None:
        self._given_port = int(settings.get("SMTP_PORT", "0"))
        self._login = (settings.get("USERNAME"), settings.get("PASSWORD"))
        self._people = set(filter(None, settings.get("PEOPLE").split(",")))
        self.came: list[CameMail] = []
        self.answer = ""
        self.port = 0
        routes = [
            Route("/_sent", self._sent),
            Route("/_away", self._away, methods=["POST"]),
            Route("/_health", self._health),
        ]
        self.app = Starlette(routes=routes, lifespan=lambda _app: self.listening())

    @contextlib.asynccontextmanager
    async def listening(self) -> AsyncIterator[None]:
        server = await asyncio.start_server(self._talk, "127.0.0.1", self._given_port)
        self.port = server.sockets[0].getsockname()[1]
        async with server:
            yield

    async def _talk(self, reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        talk = _Talk(reader, writer, knows=not self._login[0])
        with contextlib.suppress(ConnectionError, asyncio.IncompleteReadError):
            await _say(talk, "220 sandbox ESMTP")
            while line := (await reader.readline()).decode("ascii", "replace").strip():
                if not await self._heard(talk, line):
                    break
        writer.close()

    async def _heard(self, talk: _Talk, line: str) -> bool:
        """False: the talk is over."""
        word, _, rest = line.partition(" ")
        match word.upper():
            case "EHLO" | "HELO":
                await _say(talk, "250-sandbox\r\n250 AUTH PLAIN")
            case "AUTH":
                talk.knows = _plain(rest) == self._login
                await _say(talk, "235 welcome" if talk.knows else "535 bad credentials")
            case "MAIL":
                talk.sender = _address(rest)
                await _say(talk, "250 ok" if talk.knows else "530 authentication required")
            case "RCPT":
                talk.to = _address(rest)
                known = not self._people or talk.to in self._people
                away = self.answer if self.answer != HANG_UP else ""
                await _say(talk, away or ("250 ok" if known else "550 no such user here"))
            case "DATA":
                await _say(talk, "354 go on")
                body = await talk.reader.readuntil(b"\r\n.\r\n")
                if self.answer == HANG_UP:
                    return False
                self._keep(talk, body.removesuffix(b".\r\n"))
                await _say(talk, "250 queued")
            case "QUIT":
                await _say(talk, "221 bye")
                return False
            case _:
                await _say(talk, "502 not implemented")
        return True

    def _keep(self, talk: _Talk, body: bytes) -> None:
        mail = message_from_bytes(body, policy=policy.default)
        text = str(mail.get_content()).replace("\r\n", "\n")
        self.came.append(CameMail(talk.to, talk.sender, str(mail["Subject"]), text))

    async def _sent(self, request: Request) -> Response:
        if not wants_page(request):
            return JSONResponse([asdict(one) for one in self.came])
        return page("".join(map(_shown, reversed(self.came))) or "<p>No mail has come yet.</p>")

    async def _away(self, request: Request) -> Response:
        self.answer = dict(parse_qsl((await request.body()).decode())).get("answer", "")
        return JSONResponse({"answer": self.answer})

    async def _health(self, _request: Request) -> Response:
        return JSONResponse({"sandbox": "mail", "port": self.port})


def create_app(settings: Settings) -> Starlette:
    return MailSandbox(settings).app


async def _say(talk: _Talk, text: str) -> None:
    talk.writer.write(f"{text}\r\n".encode("ascii"))
    await talk.writer.drain()


def _plain(rest: str) -> tuple[str, str]:
    """Name and password of `PLAIN <base64>`."""
    _, _, text = rest.partition(" ")
    try:
        _, name, password = base64.b64decode(text).decode().split("\0")
    except ValueError:
        return "", ""
    return name, password


def _address(rest: str) -> str:
    return rest.partition("<")[2].partition(">")[0]


def _shown(mail: CameMail) -> str:
    words = [
        f'<a href="{html.escape(word)}">{html.escape(word)}</a>' if word.startswith("http") else html.escape(word)
        for word in mail.text.split("\n")
    ]
    return f"<h2>{html.escape(mail.to)}: {html.escape(mail.title)}</h2><p>{'<br>'.join(words)}</p>"
