"""Standard Webhooks: published vectors, rotation, and everything a stranger may send."""

import base64
import os
from datetime import UTC, datetime, timedelta
from typing import Any

import pytest
import standardwebhooks
from hypothesis import given
from hypothesis import strategies as st

from providers.standard_webhooks import MAX_SIGNATURES, BadWebhookSecret, Webhook, WebhookRefused

SECRET = "whsec_MfKQ9r8GKYqrTwjUPD8ILPZIo2LaLaSw"
MESSAGE = "msg_p5jXN8AQM9LWM0D4loKWxJek"
AT = datetime.fromtimestamp(1614265330, UTC)
BODY = b'{"test": 2432232314}'
V1 = "v1,g0hM9SsE+OTPJTGt/tmIKtSyZlE3uFJELVlNIOLJ1OE="
# The published sample key pair of vector 11; it protects nothing.
PRIVATE = "whsk_6Xb/dCcHpPea21PS1N9VY/NZW723CEc77N4rJCubMbfVKIDij2HKpMKkioLlX0dRqSKJp4AJ6p9lMicMFs6Kvg=="
PUBLIC = "whpk_1SiA4o9hyqTCpIqC5V9HUakiiaeACeqfZTInDBbOir4="
V1A = "v1a,hnO3f9T8Ytu9HwrXslvumlUpqtNVqkhqw/enGzPCXe5BdqzCInXqYXFymVJaA7AZdpXwVLPo3mNl8EM+m7TBAg=="
HEADERS = {"webhook-id": MESSAGE, "webhook-timestamp": "1614265330", "webhook-signature": V1}


def new_secret() -> str:
    return "whsec_" + base64.b64encode(os.urandom(32)).decode()


def refused(
    headers: dict[str, str], body: bytes = BODY, now: datetime = AT, secrets: tuple[str, ...] = (SECRET,)
) -> str:
    with pytest.raises(WebhookRefused) as e:
        Webhook(secrets).verify(headers, body, now)
    return e.value.reason


@pytest.mark.parametrize(
    ("secret", "message_id", "at_s", "body", "signature"),
    [
        (SECRET, MESSAGE, 1614265330, BODY, V1),
        (
            "whsec_C2FVsBQIhrscChlQIMV+b5sSYspob7oD",
            "msg_27UH4WbU6Z5A5EzD8u03UvzRbpk",
            1649367553,
            b'{"email":"test@example.com","username":"test_user"}',
            "v1,tZ1I4/hDygAJgO5TYxiSd6Sd0kDW6hPenDe+bTa3Kkw=",
        ),
        (PRIVATE, MESSAGE, 1614265330, BODY, V1A),
    ],
    ids=["vector 9", "vector 10", "vector 11"],
)
def test_signs_and_verifies_the_published_vectors(
    secret: str, message_id: str, at_s: int, body: bytes, signature: str
) -> None:
    at = datetime.fromtimestamp(at_s, UTC)
    headers = Webhook([secret]).sign(message_id, at, body)
    assert headers["webhook-signature"] == signature
    assert Webhook([secret]).verify(headers, body, at).message_id == message_id


def test_a_public_key_verifies_and_never_signs() -> None:
    headers = HEADERS | {"webhook-signature": V1A}
    assert Webhook([PUBLIC]).verify(headers, BODY, AT).sent_at_s == 1614265330
    with pytest.raises(BadWebhookSecret):
        Webhook([PUBLIC]).sign(MESSAGE, AT, BODY)


def test_the_reference_library_accepts_what_we_sign_and_signs_what_we_accept() -> None:
    secret, now = new_secret(), datetime.now(UTC)
    ours = Webhook([secret]).sign("msg_1", now, BODY)
    oracle = standardwebhooks.Webhook(secret)
    assert oracle.verify(BODY, ours) == {"test": 2432232314}
    theirs = ours | {"webhook-signature": oracle.sign("msg_1", now, BODY.decode())}
    assert Webhook([secret]).verify(theirs, BODY, now).message_id == "msg_1"


def test_a_zone_other_than_utc_signs_the_same_instant() -> None:
    shanghai = AT.astimezone(datetime.strptime("+0800", "%z").tzinfo)
    assert Webhook([SECRET]).sign(MESSAGE, shanghai, BODY)["webhook-signature"] == V1


def test_both_keys_are_good_while_one_replaces_the_other_and_the_old_one_is_not_afterwards() -> None:
    old, new = new_secret(), new_secret()
    during = Webhook([new, old]).sign("m1", AT, BODY)
    assert len(during["webhook-signature"].split(" ")) == 2
    for receiver in ([old], [new], [old, new]):
        Webhook(receiver).verify(during, BODY, AT)
    assert refused(Webhook([old]).sign("m1", AT, BODY), secrets=(new,)) == "signature"


@pytest.mark.parametrize("skew_s", [-300, 0, 300])
def test_five_minutes_of_skew_are_allowed_both_ways(skew_s: int) -> None:
    Webhook([SECRET]).verify(HEADERS, BODY, AT + timedelta(seconds=skew_s))


@pytest.mark.parametrize("skew_s", [-360, -301, 301, 360])
def test_more_skew_is_refused_both_ways(skew_s: int) -> None:
    assert refused(HEADERS, now=AT + timedelta(seconds=skew_s)) == "timestamp"


@pytest.mark.parametrize(
    ("changed", "reason"),
    [
        ({"webhook-id": ""}, "headers"),
        ({"webhook-timestamp": ""}, "headers"),
        ({"webhook-signature": ""}, "headers"),
        ({"webhook-id": "a.b"}, "id"),
        ({"webhook-id": "x" * 129}, "id"),
        ({"webhook-id": "msg\r\nx: y"}, "id"),
        ({"webhook-timestamp": "nan"}, "timestamp"),
        ({"webhook-timestamp": "-1"}, "timestamp"),
        ({"webhook-timestamp": "1614265330.0"}, "timestamp"),
        ({"webhook-timestamp": "1" * 400}, "timestamp"),
        ({"webhook-timestamp": "１６１４２６５３３０"}, "timestamp"),
        ({"webhook-signature": V1.removeprefix("v1,")}, "signature"),
        ({"webhook-signature": "v1,%%%"}, "signature"),
        ({"webhook-signature": "v1,é"}, "signature"),
        ({"webhook-signature": "v1,"}, "signature"),
        ({"webhook-signature": "v2," + V1[3:]}, "signature"),
        ({"webhook-signature": "v1a," + V1[3:]}, "signature"),
        ({"webhook-signature": " ".join([V1] * (MAX_SIGNATURES + 1))}, "signature"),
        ({"webhook-signature": " ".join([V1] * 50_000)}, "signature"),
    ],
)
def test_malformed_headers_are_refused_with_a_reason(changed: dict[str, str], reason: str) -> None:
    assert refused(HEADERS | changed) == reason


@pytest.mark.parametrize("missing", list(HEADERS))
def test_each_header_is_needed(missing: str) -> None:
    assert refused({k: v for k, v in HEADERS.items() if k != missing}) == "headers"


def test_unknown_schemes_and_rubbish_beside_a_good_signature_do_no_harm() -> None:
    headers = HEADERS | {"webhook-signature": f"v9,AAAA rubbish v1,!! {V1}"}
    assert Webhook([SECRET]).verify(headers, BODY, AT).message_id == MESSAGE


@pytest.mark.parametrize("body", [BODY + b" ", b'{"test":2432232314}', b"", b"\xff\xfe"])
def test_a_changed_body_is_refused(body: bytes) -> None:
    assert refused(HEADERS, body=body) == "signature"


@given(st.binary(max_size=200), st.text(max_size=200), st.text(max_size=40), st.text(max_size=40))
def test_nothing_but_its_own_refusal_comes_out(body: bytes, signature: str, message_id: str, seconds: str) -> None:
    headers = {"webhook-id": message_id, "webhook-timestamp": seconds, "webhook-signature": signature}
    with pytest.raises(WebhookRefused):
        Webhook([SECRET, PUBLIC]).verify(headers, body, AT)
    with pytest.raises(WebhookRefused):
        Webhook([SECRET, PUBLIC]).verify(HEADERS | {"webhook-signature": f"v1,{signature}"}, body, AT)


def _swapped_halves() -> str:
    raw = base64.b64decode(PRIVATE.removeprefix("whsk_"))
    return "whsk_" + base64.b64encode(raw[:32] + bytes(32)).decode()


@pytest.mark.parametrize(
    "secrets",
    [
        [],
        [""],
        ["whsec_"],
        ["whsec_c2hvcnQ="],
        ["whsec_***"],
        ["plain"],
        ["whpk_AAAA"],
        [SECRET, "whsk_" + SECRET[6:]],
        [_swapped_halves()],
    ],
)
def test_unusable_secrets_are_refused_at_the_start_without_being_repeated(secrets: list[Any]) -> None:
    with pytest.raises(BadWebhookSecret) as e:
        Webhook(secrets)
    parts = [s.partition("_")[2] for s in secrets]
    assert not [part for part in parts if part and part in str(e.value)]
