"""Codes to phones: requests signed as the channel's documents say, and its noes as noes."""

from collections.abc import AsyncIterator
from dataclasses import dataclass, replace
from datetime import UTC, datetime, timedelta

import httpx
import pytest

from providers.sms.aliyun import AliyunSms, SmsConfig, SmsRefused, SmsUnavailable, SmsUnknown
from sandbox.core.settings import Settings
from sandbox.sms import SmsSandbox

CONFIG = SmsConfig("http://sms.test", "sandbox-key", "secret", "测试商城", "SMS_1")
PHONE = "13800138000"


@dataclass
class Channel:
    sandbox: SmsSandbox
    http: httpx.AsyncClient
    now: datetime

    def client(self, config: SmsConfig = CONFIG) -> AliyunSms:
        return AliyunSms(config, self.http, lambda: self.now)


@pytest.fixture
async def channel() -> AsyncIterator[Channel]:
    sandbox = SmsSandbox(Settings(clock=lambda: there.now))
    async with httpx.AsyncClient(transport=httpx.ASGITransport(sandbox.app)) as http:
        there = Channel(sandbox, http, datetime(2026, 11, 30, 8, 0, tzinfo=UTC))
        yield there


async def test_a_code_comes_to_the_phone(channel: Channel) -> None:
    await channel.client().send_code(PHONE, "012345")
    assert [code for _, code in channel.sandbox.phones[PHONE]] == ["012345"]


@pytest.mark.parametrize(
    ("config", "code"),
    [
        (replace(CONFIG, access_key_secret="another"), "SignatureDoesNotMatch"),
        (replace(CONFIG, access_key_id="another"), "InvalidAccessKeyId.NotFound"),
        (replace(CONFIG, sign_name="别的"), "isv.SMS_SIGNATURE_ILLEGAL"),
        (replace(CONFIG, template="SMS_2"), "isv.SMS_TEMPLATE_ILLEGAL"),
    ],
)
async def test_what_the_channel_does_not_take_is_refused_by_its_code(
    channel: Channel, config: SmsConfig, code: str
) -> None:
    with pytest.raises(SmsRefused) as refused:
        await channel.client(config).send_code(PHONE, "012345")
    assert refused.value.code == code and not channel.sandbox.phones.get(PHONE)


async def test_a_phone_gets_one_a_minute_and_a_clock_that_is_far_off_is_refused(channel: Channel) -> None:
    client = channel.client()
    await client.send_code(PHONE, "1")
    with pytest.raises(SmsRefused, match="BUSINESS_LIMIT_CONTROL"):
        await client.send_code(PHONE, "2")
    late = AliyunSms(CONFIG, channel.http, lambda: channel.now - timedelta(hours=1))
    with pytest.raises(SmsRefused, match="Expired"):
        await late.send_code("13900139000", "3")


async def test_an_outage_is_no_refusal() -> None:
    async def sends(answer: httpx.Response | Exception) -> None:
        def handle(_request: httpx.Request) -> httpx.Response:
            if isinstance(answer, Exception):
                raise answer
            return answer

        async with httpx.AsyncClient(transport=httpx.MockTransport(handle)) as http:
            await AliyunSms(CONFIG, http, lambda: datetime.now(UTC)).send_code(PHONE, "1")

    with pytest.raises(SmsUnavailable):
        await sends(httpx.ConnectError("away"))
    for answer in (httpx.ReadTimeout("slow"), httpx.Response(503), httpx.Response(200, content=b"<html>")):
        with pytest.raises(SmsUnknown):
            await sends(answer)
