"""Codes to phones, for guests: buyers without an account who know their order's number and hold its phone.

The codes are made, sent and compared here and are nowhere else: whoever asks for one never sees it (decision 0055).
Kept in memory: when the process ends, guests ask for another one.
"""

import hmac
import secrets
from collections.abc import Callable
from dataclasses import dataclass
from datetime import datetime, timedelta
from typing import Protocol

CODE_LIVES = timedelta(minutes=10)
TRIES = 5
A_PHONE_AN_HOUR, A_PHONE_A_DAY = 5, 10
ALL_A_MINUTE = 60
"""Of all phones together: whoever asks for others' phones spends the shop's money."""
MOST_KEPT = 10_000
DIGITS = 6


class SendsCodes(Protocol):
    async def send_code(self, phone: str, code: str) -> None: ...


class TooManyCodes(Exception):
    """This phone, or all of them together, got as many codes as they may."""


@dataclass
class SentCode:
    """`tries`: that are left."""

    order_no: str
    buyer: str
    code: str
    until: datetime
    tries: int = TRIES


class GuestCodes:
    def __init__(self, sms: SendsCodes, now: Callable[[], datetime]) -> None:
        self._sms = sms
        self._now = now
        self._kept: dict[str, SentCode] = {}
        self._sent: list[tuple[datetime, str]] = []

    async def send(self, attempt: str, order_no: str, buyer: str, phone: str) -> None:
        """`attempt`: a number that nobody can guess, with which the code counts. Raises `TooManyCodes`, and what the
        channel raises; then no code counts."""
        now = self._now()
        self._insist_on_pace(phone, now)
        self._kept = {key: one for key, one in self._kept.items() if one.until > now}
        if len(self._kept) >= MOST_KEPT or attempt in self._kept:
            raise TooManyCodes
        # Counted before it is sent: what may have been sent has been.
        self._sent.append((now, phone))
        code = f"{secrets.randbelow(10**DIGITS):0{DIGITS}}"
        await self._sms.send_code(phone, code)
        self._kept[attempt] = SentCode(order_no, buyer, code, now + CODE_LIVES)

    def open(self, attempt: str, code: str) -> SentCode | None:
        """Once, and after five wrong codes not at all. None: another code, an old one, or none was sent."""
        sent = self._kept.get(attempt)
        if sent is None or self._now() >= sent.until:
            return None
        sent.tries -= 1
        fits = hmac.compare_digest(sent.code.encode(), code.encode())
        if fits or sent.tries <= 0:
            del self._kept[attempt]
        return sent if fits else None

    def _insist_on_pace(self, phone: str, now: datetime) -> None:
        self._sent = [(at, to) for at, to in self._sent if now - at < timedelta(days=1)]
        mine = [at for at, to in self._sent if to == phone]
        hour = sum(now - at < timedelta(hours=1) for at in mine)
        minute = sum(now - at < timedelta(minutes=1) for at, _ in self._sent)
        if len(mine) >= A_PHONE_A_DAY or hour >= A_PHONE_AN_HOUR or minute >= ALL_A_MINUTE:
            raise TooManyCodes
