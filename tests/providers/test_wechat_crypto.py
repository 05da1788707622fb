"""Signing, verifying and decrypting: published vectors (docs/providers.md, Test vectors) and an independent library."""

from base64 import b64encode
from datetime import UTC, datetime, timedelta

import pytest
import wechatpayv3.utils as oracle
from hypothesis import given
from hypothesis import strategies as st

from providers.wechat.cipher import UnableToDecrypt, decrypt
from providers.wechat.keys import NotVerified, PlatformKeys
from providers.wechat.signing import Signer, UnableToLoadKey
from tests.providers.wechat_world import APPID, MCHID, SERIAL, key, private_pem, public_pem

PUBLISHED_KEY = (
    "MIIBIjANBgkqhkiG9w0BAQEFAAOCAQ8AMIIBCgKCAQEAwXNI6sdlknHBnK8Fu2U6Cwor9qY747jP8KAfeBMeveEt1TqaHkLfaSD07trZLhGpfs8/"
    "AHqjhgSMO1O10YQWOrrJ4hjIWPKqxbgrYMkBQc+mwdiWp4W3ByCqxBRagCveCXRWCmuJYovl9H/bsDI0iGbpVtEOghJtfciisYSgxcLufUDTRkvw"
    "xjIBK1pCRjk33jJ5YTBWTHMRtMAOcFLNF6hdEYdX8SPsgHHeLZ5Lv2T/686w1xtgCHef/sd4uSfWmyzsalQdHG/e4IyYmrhx+O3VBoNDzE3nx23b"
    "FeV/RVNCG7cV6VhmYokJNHa/erIPkEmEFID6A5wQOXuxUkmJWwIDAQAB"
)
PUBLISHED_SIGNATURE = (
    "mfI1CPqvBrgcXfgXMFjdNIhBf27ACE2YyeWsWV9ZI7T7RU0vHvbQpu9Z32ogzc+k8ZC5n3kz7h70eWKjgqNdKQF0eRp8mVKlmfzMLBVHbssB9jEZ"
    "EDXThOX1XFqX7s7ymia1hoHQxQagPGzkdWxtlZPZ4ZPvr1RiqkgAu6Is8MZgXXrRoBKqjmSdrP1N7uxzJ/cjfSiis9FiLjuADoqmQ1P7p2N876YP"
    "Aol7Rn0+GswwAwxldbdLrmVSjfytfSBJFqTMHn4itojgxSWWN1byuckQt8hSTEv/Lg97QoeGniYP17T80pJeQyL3b+295FPHSO2AtvCgyIbKMZ0B"
    "ALilAA=="
)
PUBLISHED_BODY = b'{"code_url":"weixin://wxpay/bizpayurl?pr=JyC91EIz1"}'
PUBLISHED_AT = datetime.fromtimestamp(1722850421, UTC)
PUBLISHED_HEADERS = {
    "wechatpay-timestamp": "1722850421",
    "wechatpay-nonce": "d824f2e086d3c1df967785d13fcd22ef",
    "wechatpay-signature": PUBLISHED_SIGNATURE,
    "wechatpay-serial": "PUB_KEY_ID_1",
}


def published_keys() -> PlatformKeys:
    pem = f"-----BEGIN PUBLIC KEY-----\n{PUBLISHED_KEY}\n-----END PUBLIC KEY-----\n"
    return PlatformKeys({"PUB_KEY_ID_1": pem})


def test_published_reply_verifies() -> None:
    published_keys().verify(PUBLISHED_HEADERS, PUBLISHED_BODY, PUBLISHED_AT)


def test_published_reply_with_one_byte_changed_does_not() -> None:
    with pytest.raises(NotVerified) as e:
        published_keys().verify(PUBLISHED_HEADERS, PUBLISHED_BODY.replace(b"Iz1", b"Iz2"), PUBLISHED_AT)
    assert e.value.reason == "signature"


@pytest.mark.parametrize(("skew_s", "fresh"), [(299, True), (-299, True), (300, False), (-300, False), (10**9, False)])
def test_skew_of_five_minutes_is_refused_both_ways(skew_s: int, fresh: bool) -> None:
    now = PUBLISHED_AT + timedelta(seconds=skew_s)
    if fresh:
        published_keys().verify(PUBLISHED_HEADERS, PUBLISHED_BODY, now)
        return
    with pytest.raises(NotVerified) as e:
        published_keys().verify(PUBLISHED_HEADERS, PUBLISHED_BODY, now)
    assert e.value.reason == "stale"


@pytest.mark.parametrize(
    ("secret", "nonce", "aad", "ciphertext", "plain"),
    [
        (
            b"testAPIv3Key0000",
            "wCq51qZv4Yfg",
            "Dl56FrqWQJF1t9LtC3vEUsniZKvbqdR8",
            "FsdXzxryWfKwvLJKf8LG/ToRPTRh8RN9wROC",
            b"Hello World",
        ),
        (
            b"a7cde1ZJB1kG2e7VfTs3jQzaWizur8Gb",
            "uluk4a9R25RW",
            "associatedData",
            "ulwSiIajGClcvcOYvOQ7+l+0PAbzzwI=",
            b"message",
        ),
    ],
)
def test_published_ciphertexts_open(secret: bytes, nonce: str, aad: str, ciphertext: str, plain: bytes) -> None:
    assert decrypt(secret, nonce=nonce, associated_data=aad, ciphertext=ciphertext) == plain


@given(st.text(max_size=40), st.text(max_size=40), st.text(max_size=80))
def test_no_ciphertext_whatever_raises_anything_else(nonce: str, aad: str, ciphertext: str) -> None:
    with pytest.raises(UnableToDecrypt):
        decrypt(b"a7cde1ZJB1kG2e7VfTs3jQzaWizur8Gb", nonce=nonce, associated_data=aad, ciphertext=ciphertext)


@pytest.mark.parametrize("body", ["", '{"a":"两件"}'])
def test_authorization_is_what_the_other_library_makes(body: str, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(oracle.time, "time", lambda: 1700000000.0)
    target, nonce = "/v3/pay/transactions/out-trade-no/A%7CB?mchid=1", "N" * 32
    theirs = oracle.build_authorization(target, "POST", MCHID, SERIAL, key("merchant"), data=body, nonce_str=nonce)
    ours = Signer.from_pem(MCHID, SERIAL, private_pem("merchant"))
    assert ours.authorization("POST", target, body.encode(), timestamp=1700000000, nonce=nonce) == theirs


def test_jsapi_parameters_are_signed_as_documented() -> None:
    signer = Signer.from_pem(MCHID, SERIAL, private_pem("merchant"))
    made = signer.jsapi(APPID, "wx123", timestamp=1700000000, nonce="n")
    expected = oracle.rsa_sign(key("merchant"), f"{APPID}\n1700000000\nn\nprepay_id=wx123\n")
    assert made["paySign"] == expected
    assert (made["package"], made["signType"], made["timeStamp"]) == ("prepay_id=wx123", "RSA", "1700000000")


@pytest.mark.parametrize("pem", ["", "nonsense", b64encode(b"x" * 99).decode()])
def test_a_wrong_key_setting_is_named_without_showing_it(pem: str) -> None:
    with pytest.raises(UnableToLoadKey) as e:
        Signer.from_pem(MCHID, SERIAL, pem)
    assert MCHID in str(e.value)
    with pytest.raises(UnableToLoadKey):
        PlatformKeys({"PUB_KEY_ID_1": pem})


def test_a_downloaded_key_is_not_believed_after_it_left_the_list() -> None:
    keys = PlatformKeys({"PUB_KEY_ID_1": public_pem("platform")})
    assert keys.due(PUBLISHED_AT)
    keys.replace_downloaded({}, PUBLISHED_AT)
    assert not keys.due(PUBLISHED_AT + timedelta(hours=10))
    assert keys.due(PUBLISHED_AT + timedelta(hours=11))
