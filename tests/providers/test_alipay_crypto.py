"""Signing, verifying and cutting replies: a published notification of an SDK and own keys."""

import json
from base64 import b64encode

import pytest
from cryptography.hazmat.primitives import serialization
from cryptography.hazmat.primitives.asymmetric import ec, padding
from cryptography.hazmat.primitives.hashes import SHA256
from hypothesis import given
from hypothesis import strategies as st

from domain.strict import UnableToRead
from providers.alipay.envelope import open_envelope
from providers.alipay.signing import AlipayKey, Signer, UnableToLoadKey, signed_text
from tests.providers.wechat_world import key, private_pem, public_pem

PUBLISHED_KEY = (
    "MIIBIjANBgkqhkiG9w0BAQEFAAOCAQ8AMIIBCgKCAQEAqObrdC7hrgAVM98tK0nv3hSQRGGKT4lBsQjHiGjeYZjOPIPHR5knm2jnnz/YGIXIofVHkA/t"
    "AlBAd5DrY7YpvI4tP5EONLtZKC2ghBMx7McI2wRD0xiqzxOQr1FuhZGJ8/AUokBzJrzY+aGX2xcOrxFYRlFilvVLTXg4LWjR1tdPkO6+i7wQZAIVMClP"
    "kwVRZEbaERRHlKqTzv2gGv5rDU8gRoe1LeaN+6BlbTqHWkQcNCUNrA8C6l17XAXGKDsm/9TFWwO8EPHHHCaQdjtV5/FdcWIt+L8SR1ss7EXTjYDFtxcK"
    "Vv9rEoY1lX8T4mX+GbXfZHraG5NCF1+XioL5JwIDAQAB"
)
PUBLISHED_SIGN = (
    "QfTb8tqE1BMhS5qAnXtvsF3/jBkEvu9q9en0pdbBUDDjvKycZhQb7h8GDs4FKfi049PynaNuatxSgLb/nLWZpXyyh0LEWdK2S6Ri7nPwrVgOs08zugLO"
    "20vOQz44y3ti2Ncm8/wZts1Fr2gZ7pShnVX3d1B50hbsXnObT1r/U8ONNQjWXd0HIul4TG+Q3fm3svmSvFEy0WnzuhcyHPX5Gm4ELNctL6Qd5YniGJFN"
    "cc7kopHYtI/XD9YCKCH6Ct02rzUs9i11C9CsadtZn+WhxF26Dqt9sGEFajkJ8cxUTLi8+VCpLHsgPE8P0y095uQcDdK0YjCh4x7wVSov+lrmOQ=="
)
PUBLISHED_FIELDS = {
    "gmt_create": "2019-08-15 15:56:22",
    "charset": "utf-8",
    "seller_email": "z97-yuquerevenue@service.aliyun.com",
    "subject": "语雀空间 500人规模",
    "buyer_id": "2088102534368455",
    "invoice_amount": "0.10",
    "notify_id": "2019081500222155624068450559358070",
    "fund_bill_list": '[{"amount":"0.10","fundChannel":"ALIPAYACCOUNT"}]',
    "notify_type": "trade_status_sync",
    "trade_status": "TRADE_SUCCESS",
    "receipt_amount": "0.10",
    "buyer_pay_amount": "0.10",
    "app_id": "2019073166072302",
    "seller_id": "2088531891668739",
    "gmt_payment": "2019-08-15 15:56:24",
    "notify_time": "2019-08-15 15:56:25",
    "version": "1.0",
    "out_trade_no": "20190815155618536-564-57",
    "total_amount": "0.10",
    "trade_no": "2019081522001468450512505578",
    "auth_app_id": "2019073166072302",
    "buyer_logon_id": "xud***@126.com",
    "point_amount": "0.00",
}


def bare(pem: str) -> str:
    return "".join(line for line in pem.splitlines() if not line.startswith("-----"))


def test_published_notification_verifies_without_sign_type_only() -> None:
    alipay = AlipayKey.load("x", PUBLISHED_KEY)
    assert alipay.fits(signed_text(PUBLISHED_FIELDS), PUBLISHED_SIGN)
    assert not alipay.fits(signed_text({**PUBLISHED_FIELDS, "sign_type": "RSA2"}), PUBLISHED_SIGN)
    assert not alipay.fits(signed_text({**PUBLISHED_FIELDS, "total_amount": "0.11"}), PUBLISHED_SIGN)


def test_signed_text_is_sorted_and_not_url_encoded() -> None:
    assert signed_text({"b": "x y&/=%", "a": "两件", "B": ""}) == "B=&a=两件&b=x y&/=%".encode()


def test_both_key_forms_sign_the_same() -> None:
    pem, text = private_pem("merchant"), b"app_id=1"
    sign = Signer.load("1", pem).sign(text)
    assert Signer.load("1", bare(pem)).sign(text) == sign
    assert b64encode(key("merchant").sign(text, padding.PKCS1v15(), SHA256())).decode() == sign
    for public in (public_pem("merchant"), bare(public_pem("merchant"))):
        assert AlipayKey.load("1", public).fits(text, sign)
        assert not AlipayKey.load("1", public).fits(text + b" ", sign)


def test_pkcs1_key_of_alipays_tool_is_read() -> None:
    der = key("merchant").private_bytes(
        serialization.Encoding.DER, serialization.PrivateFormat.TraditionalOpenSSL, serialization.NoEncryption()
    )
    assert Signer.load("1", b64encode(der).decode()).key.key_size == 2048


def elliptic() -> ec.EllipticCurvePrivateKey:
    return ec.generate_private_key(ec.SECP256R1())


def test_a_wrong_key_setting_is_named_without_showing_it() -> None:
    private = elliptic().private_bytes(
        serialization.Encoding.PEM, serialization.PrivateFormat.PKCS8, serialization.NoEncryption()
    )
    public = (
        elliptic()
        .public_key()
        .public_bytes(serialization.Encoding.PEM, serialization.PublicFormat.SubjectPublicKeyInfo)
    )
    for load, texts in (
        (Signer.load, ["", "nonsense", "QUJD", public_pem("merchant"), private.decode()]),
        (AlipayKey.load, ["", "nonsense", "QUJD", private_pem("merchant"), public.decode()]),
    ):
        for text in texts:
            with pytest.raises(UnableToLoadKey) as e:
                load("app-7", text)
            assert "app-7" in str(e.value)
            assert not text or text not in str(e.value)


@given(st.text(max_size=60))
def test_no_signature_text_whatever_raises(signature: str) -> None:
    assert not AlipayKey.load("x", PUBLISHED_KEY).fits(b"", signature)


METHOD, NAME = "alipay.trade.query", "alipay_trade_query_response"


def test_inner_object_is_cut_out_as_it_was_sent() -> None:
    inner = '{"code":"10000" , "url":"http:\\/\\/x\\/?a={}&b=\\"}","u":"\\u4e24件","sign":"no"}'
    body = f'\n {{ "{NAME}"\r\n :\t{inner} ,\n "alipay_cert_sn":"c", "sign" : "S" }} '
    envelope = open_envelope(body.encode(), METHOD)
    assert (envelope.inner.decode(), envelope.is_answer, envelope.sign) == (inner, True, "S")
    assert json.dumps(json.loads(inner), separators=(",", ":")).encode() != envelope.inner


def test_order_of_sign_and_answer_does_not_matter_and_sign_may_be_absent() -> None:
    assert open_envelope(f'{{"sign":"S","{NAME}":{{}}}}'.encode(), METHOD).sign == "S"
    assert open_envelope(f'{{"{NAME}":{{}}}}'.encode(), METHOD).sign == ""


def test_error_response_is_no_answer() -> None:
    assert not open_envelope(b'{"error_response":{"code":"40002"}}', METHOD).is_answer


@pytest.mark.parametrize(
    "body",
    [
        b"",
        b"{}",
        b"[]",
        b"null",
        b"<html>",
        b"\xff",
        b'{"sign":"S"}',
        b'{"alipay_trade_close_response":{}}',
        f'{{"{NAME}":"text"}}'.encode(),
        f'{{"{NAME}":{{}},"error_response":{{}}}}'.encode(),
        f'{{"{NAME}":{{}},"{NAME}":{{}}}}'.encode(),
        f'{{"{NAME}":{{"a":1,"a":2}}}}'.encode(),
        f'{{"{NAME}":{{}},"sign":1}}'.encode(),
        f'{{"{NAME}":{{}}}}x'.encode(),
        f'{{"{NAME}":{"[" * 100_000}'.encode(),
        f'{{"x":{{"{NAME}":{{}}}}}}'.encode(),
    ],
)
def test_anything_else_is_unreadable(body: bytes) -> None:
    with pytest.raises(UnableToRead):
        open_envelope(body, METHOD)


WORDS = st.text(st.characters(exclude_characters="@"), max_size=6)
"""Without the mark that the test replaces."""


@given(st.dictionaries(WORDS, st.recursive(WORDS | st.integers(-9, 9), st.lists, max_leaves=5)))
def test_whatever_stands_around_the_inner_text_is_the_same(around: dict[str, object]) -> None:
    inner = '{"code":"1\\/0"}'
    text = json.dumps({**around, NAME: "@", "sign": "S", "error_response": 0}).replace('"@"', inner)
    with pytest.raises(UnableToRead):
        open_envelope(text.encode(), METHOD)
    fine = text.replace(', "error_response": 0', "")
    assert open_envelope(fine.encode(), METHOD).inner.decode() == inner
