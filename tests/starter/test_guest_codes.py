"""A guest's code: once, for ten minutes, five tries, and no more of them than a phone may get."""

from dataclasses import dataclass, field
from datetime import UTC, datetime, timedelta

import pytest

from providers.sms.aliyun import SmsUnavailable
from starter.issuer.guests import A_PHONE_A_DAY, A_PHONE_AN_HOUR, ALL_A_MINUTE, TRIES, GuestCodes, TooManyCodes

PHONE = "13800138000"


@dataclass
class Phones:
    got: list[tuple[str, str]] = field(default_factory=list)
    away: bool = False
    now: datetime = datetime(2026, 11, 30, 8, 0, tzinfo=UTC)

    async def send_code(self, phone: str, code: str) -> None:
        if self.away:
            raise SmsUnavailable("sms", "ConnectError", "away")
        self.got.append((phone, code))

    def codes(self) -> GuestCodes:
        return GuestCodes(self, lambda: self.now)

    def wrong(self) -> str:
        return "000000" if self.got[-1][1] != "000000" else "000001"


async def test_the_code_opens_its_own_attempt_once() -> None:
    phones = Phones()
    codes = phones.codes()
    await codes.send("a-1", "SO-1", "b-1", PHONE)
    await codes.send("a-2", "SO-2", "b-2", "13900139000")
    (_, first), (_, second) = phones.got
    assert len(first) == len(second) == 6
    if first != second:
        assert codes.open("a-2", first) is None, "the code of another attempt"
    opened = codes.open("a-1", first)
    assert opened is not None and (opened.order_no, opened.buyer) == ("SO-1", "b-1")
    assert codes.open("a-1", first) is None
    assert codes.open("never", first) is None


async def test_a_code_ends_after_ten_minutes_and_after_five_wrong_tries() -> None:
    phones = Phones()
    codes = phones.codes()
    await codes.send("a-1", "SO-1", "b-1", PHONE)
    for _ in range(TRIES):
        assert codes.open("a-1", phones.wrong()) is None
    assert codes.open("a-1", phones.got[-1][1]) is None, "guessed away"
    await codes.send("a-2", "SO-1", "b-1", PHONE)
    phones.now += timedelta(minutes=10)
    assert codes.open("a-2", phones.got[-1][1]) is None
    for attempt in ("é", "", "１２３４５６"):
        assert codes.open("a-2", attempt) is None


async def test_a_phone_gets_a_few_an_hour_and_a_few_more_a_day() -> None:
    phones = Phones()
    codes = phones.codes()

    async def asked() -> int:
        before = len(phones.got)
        for n in range(A_PHONE_A_DAY + 5):
            try:
                await codes.send(f"a-{phones.now}-{n}", "SO-1", "b-1", PHONE)
            except TooManyCodes:
                break
        return len(phones.got) - before

    assert await asked() == A_PHONE_AN_HOUR
    phones.now += timedelta(hours=1)
    assert await asked() == A_PHONE_A_DAY - A_PHONE_AN_HOUR
    phones.now += timedelta(hours=1)
    assert await asked() == 0
    phones.now += timedelta(days=1)
    assert await asked() == A_PHONE_AN_HOUR


async def test_all_phones_together_get_no_flood() -> None:
    phones = Phones()
    codes = phones.codes()
    for n in range(ALL_A_MINUTE):
        await codes.send(f"a-{n}", "SO-1", "b-1", f"138{n:08}")
    with pytest.raises(TooManyCodes):
        await codes.send("one more", "SO-1", "b-1", "13700137000")


async def test_a_code_that_was_not_sent_does_not_count_and_an_attempt_is_not_taken_over() -> None:
    phones = Phones(away=True)
    codes = phones.codes()
    with pytest.raises(SmsUnavailable):
        await codes.send("a-1", "SO-1", "b-1", PHONE)
    phones.away = False
    await codes.send("a-1", "SO-1", "b-1", PHONE)
    with pytest.raises(TooManyCodes):
        await codes.send("a-1", "SO-2", "b-2", "13900139000")
    opened = codes.open("a-1", phones.got[-1][1])
    assert opened is not None and opened.order_no == "SO-1"
