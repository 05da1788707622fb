"""A notice with a link to one address, by SMTP (RFC 5321) with STARTTLS or TLS from the start.

smtplib and not apprise, which sends the notices of tickets: apprise says yes or no, and whether a server said "never"
or "later" decides here whether it is asked again.
"""

import asyncio
import re
import smtplib
import ssl
from collections.abc import Iterator
from concurrent.futures import ThreadPoolExecutor
from contextlib import contextmanager
from dataclasses import dataclass, field
from email.message import EmailMessage
from email.policy import SMTP
from email.utils import format_datetime, make_msgid
from typing import Literal

from domain.clock import Clock
from providers.errors import Refused, Unavailable, UnknownOutcome
from providers.messengers.port import LinkMessage

SYSTEM = "mail"
STEP_S = 5.0
"""Of each step of the talk; there are seven."""
AT_ONCE = 4
PERMANENT = 500
NOT_OUR_PASSWORD = 535
ADDRESS = re.compile(r"[^\s<>]+@[^\s<>]+")
"""Servers repeat it in what they say, and what they say goes into logs."""
Security = Literal["starttls", "tls", "none"]


class MailRefused(Refused):
    """The server takes no mail for this address, or none of ours."""


class MailUnavailable(Unavailable):
    """Nothing was handed over; later perhaps."""


class MailUnknown(UnknownOutcome):
    """It was handed over and not confirmed."""


@dataclass(frozen=True)
class MailServer:
    """`sender`: the address that mail comes from. Without `username` nobody signs in."""

    host: str
    port: int
    security: Security
    sender: str
    username: str = ""
    password: str = field(default="", repr=False)


class Mail:
    """Raises `MailRefused`, `MailUnavailable`, `MailUnknown`."""

    def __init__(self, server: MailServer, clock: Clock, *, step_s: float = STEP_S) -> None:
        self._server = server
        self._clock = clock
        self._step_s = step_s
        # smtplib blocks; its threads are its own, so that a server that hangs holds up nothing else.
        self._threads = ThreadPoolExecutor(max_workers=AT_ONCE, thread_name_prefix="mail")

    async def send(self, to: str, message: LinkMessage) -> None:
        await asyncio.get_running_loop().run_in_executor(self._threads, self._hand_over, to, message)

    def close(self) -> None:
        self._threads.shutdown(wait=False, cancel_futures=True)

    def _hand_over(self, to: str, message: LinkMessage) -> None:
        handed = False
        try:
            with self._talk() as smtp:
                _insist(smtp.mail(self._server.sender))
                _insist(smtp.rcpt(to))
                handed = True
                _insist(smtp.data(self._written(to, message)))
        except smtplib.SMTPResponseException as why:
            raise _said(why.smtp_code, why.smtp_error) from None
        except (smtplib.SMTPException, OSError) as why:
            # Without its cause: the text may quote an address.
            kind = MailUnknown if handed else MailUnavailable
            raise kind(SYSTEM, type(why).__name__, "the server did not answer to the end") from None

    @contextmanager
    def _talk(self) -> Iterator[smtplib.SMTP]:
        """A mail that was taken stays so, however the talk ends."""
        at, name = (self._server.host, self._server.port), self._server.sender.partition("@")[2]
        if self._server.security == "tls":
            smtp: smtplib.SMTP = smtplib.SMTP_SSL(
                *at, local_hostname=name, timeout=self._step_s, context=ssl.create_default_context()
            )
        else:
            smtp = smtplib.SMTP(*at, local_hostname=name, timeout=self._step_s)
        try:
            if self._server.security == "starttls":
                smtp.starttls(context=ssl.create_default_context())
            if self._server.username:
                smtp.login(self._server.username, self._server.password)
            smtp.ehlo_or_helo_if_needed()
            yield smtp
        finally:
            smtp.close()

    def _written(self, to: str, message: LinkMessage) -> bytes:
        mail = EmailMessage(policy=SMTP)
        mail["From"], mail["To"], mail["Subject"] = self._server.sender, to, message.title
        mail["Date"] = format_datetime(self._clock())
        mail["Message-ID"] = make_msgid(domain=self._server.sender.partition("@")[2])
        mail["Auto-Submitted"] = "auto-generated"
        mail.set_content(f"{message.text}\n\n{message.button}\n{message.url}\n", cte="base64")
        return mail.as_bytes()


def _insist(answer: tuple[int, bytes]) -> None:
    code, text = answer
    if not 200 <= code < 300:
        raise smtplib.SMTPResponseException(code, text)


def _said(code: int, text: bytes | str) -> MailRefused | MailUnavailable:
    """What will not change by itself is a refusal, but for our own password: somebody will put that right."""
    kind = MailRefused if code >= PERMANENT and code != NOT_OUR_PASSWORD else MailUnavailable
    said = text.decode(errors="replace") if isinstance(text, bytes) else text
    return kind(SYSTEM, str(code), ADDRESS.sub("an address", said)[:200])
