"""Tokens that prove nothing (cases 59 to 61 of the threat list): each refused by the real activity, with an audit row
and no change."""

import base64
import hmac
import json
from datetime import timedelta
from typing import Any

import jwt
import pytest
from cryptography.hazmat.primitives import serialization
from cryptography.hazmat.primitives.asymmetric import rsa
from temporalio.exceptions import ApplicationError

from domain.approvals import ApprovalRequest, RefusalCode
from providers.tokens.issue import new_key, read_key
from providers.tokens.keys import GivenKeys, read_key_set
from providers.tokens.verify import Issuer
from tests.approvals.world import AUDIENCE, ISSUER, NOW, Office, question


def segment(value: Any) -> str:
    raw = value if isinstance(value, bytes) else json.dumps(value).encode()
    return base64.urlsafe_b64encode(raw).rstrip(b"=").decode()


def claims(asked: ApprovalRequest, **changed: Any) -> dict[str, Any]:
    at = int(NOW.timestamp())
    made = {
        "iss": ISSUER, "aud": AUDIENCE, "sub": "u-fin", "jti": "j1", "iat": at, "exp": at + 60,
        "approval_id": asked.approval_id, "content_hash": asked.content_hash,
    }  # fmt: skip
    return {name: value for name, value in (made | changed).items() if value is not None}


def signed(office: Office, made: dict[str, Any], **header: Any) -> str:
    return jwt.encode(made, office.key.private, algorithm="EdDSA", headers={"kid": office.key.key_id} | header)


def public_bytes(office: Office, encoding: str) -> bytes:
    public = office.key.private.public_key()
    if encoding == "raw":
        return public.public_bytes(serialization.Encoding.Raw, serialization.PublicFormat.Raw)
    return public.public_bytes(serialization.Encoding.PEM, serialization.PublicFormat.SubjectPublicKeyInfo)


def with_shared_secret(office: Office, made: dict[str, Any], secret: bytes) -> str:
    """HS256 by hand: the library refuses to sign with a public key."""
    head = segment({"alg": "HS256", "typ": "JWT", "kid": office.key.key_id})
    text = f"{head}.{segment(made)}"
    return f"{text}.{segment(hmac.digest(secret, text.encode(), 'sha256'))}"


def forged(name: str, office: Office, asked: ApprovalRequest) -> str:
    good = claims(asked)
    header = {"alg": "none", "kid": office.key.key_id}
    stranger = read_key(new_key())
    tampered = signed(office, good).split(".")
    bad: dict[str, str] = {
        "alg none": f"{segment(header)}.{segment(good)}.",
        "alg None in capitals": f"{segment(header | {'alg': 'NONE'})}.{segment(good)}.",
        "hs256 with the public key's text": with_shared_secret(office, good, public_bytes(office, "pem")),
        "hs256 with the public key's bytes": with_shared_secret(office, good, public_bytes(office, "raw")),
        "wrong audience": signed(office, claims(asked, aud="oms-orders")),
        "several audiences without ours": signed(office, claims(asked, aud=["a", "b"])),
        "no audience": signed(office, claims(asked, aud=None)),
        "another issuer": signed(office, claims(asked, iss="elsewhere")),
        "issuer no text": signed(office, claims(asked, iss=None) | {"iss": ISSUER[:-1]}),
        "key id is a path": signed(office, good, kid="../../../../dev/null"),
        "key id is an address": signed(office, good, kid="https://example.com/keys"),
        "key id is a statement": signed(office, good, kid="x' UNION SELECT 'secret"),
        "no key id": jwt.encode(good, office.key.private, algorithm="EdDSA"),
        "brings its own key": jwt.encode(
            good, stranger.private, algorithm="EdDSA",
            headers={"kid": stranger.key_id, "jku": "https://example.com/keys", "jwk": {"kty": "OKP"}},
        ),
        "another key under our id": jwt.encode(
            good, stranger.private, algorithm="EdDSA", headers={"kid": office.key.key_id}
        ),
        "content changed": f"{tampered[0]}.{segment(claims(asked, sub='u-fin2'))}.{tampered[2]}",
        "no signature": f"{tampered[0]}.{tampered[1]}.",
        "no number": signed(office, claims(asked, jti=None)),
        "no end": signed(office, claims(asked, exp=None)),
        "no person": signed(office, claims(asked, sub=None)),
        "person with a control character": signed(office, claims(asked, sub="u-fin\u202e")),
        "no purpose": signed(office, claims(asked, approval_id=None, content_hash=None)),
        "lives for a year": signed(office, claims(asked, exp=int(NOW.timestamp()) + 31_536_000)),
        "from the future": signed(
            office, claims(asked, iat=int(NOW.timestamp()) + 3600, exp=int(NOW.timestamp()) + 3660)
        ),
        "end is not a number": f"{tampered[0]}.{segment(claims(asked, exp='never'))}.{tampered[2]}",
        "nonsense": "a.b.c",
        "empty": "",
        "not ascii": "é" * 10,
        "unknown critical header": signed(office, good, crit=["exp"]),
    }  # fmt: skip
    return bad[name]


NAMES = (
    "alg none", "alg None in capitals", "hs256 with the public key's text", "hs256 with the public key's bytes",
    "wrong audience", "several audiences without ours", "no audience", "another issuer", "issuer no text",
    "key id is a path", "key id is an address", "key id is a statement", "no key id", "brings its own key",
    "another key under our id", "content changed", "no signature", "no number", "no end", "no person",
    "person with a control character", "no purpose", "lives for a year", "from the future", "end is not a number",
    "nonsense", "empty", "not ascii", "unknown critical header",
)  # fmt: skip


@pytest.mark.parametrize("name", NAMES)
async def test_a_forged_token_is_refused_with_an_audit_row(office: Office, name: str) -> None:
    asked = await office.open()
    token = forged(name, office, asked)
    with pytest.raises(ApplicationError) as refused:
        await office.decide(office.decision("u-fin", asked, token=token))
    assert refused.value.type == RefusalCode.TOKEN_INVALID
    assert await office.refusals() == [("unverified", RefusalCode.TOKEN_INVALID)]
    assert await office.state(asked) == "open"
    rows = await office.audit.list()
    assert not token or all(token not in str(row.detail) for row in rows)


async def test_the_untouched_claims_are_good(office: Office) -> None:
    """The other tests fail for their one change, not for something else."""
    asked = await office.open()
    assert (await office.decide(office.decision("u-fin", asked, token=signed(office, claims(asked))))).approved


async def test_an_expired_token_is_refused_at_its_last_moment(office: Office) -> None:
    asked = await office.open()
    token = office.token("u-fin", asked, life=timedelta(minutes=5))
    office.passes(timedelta(minutes=5))
    with pytest.raises(ApplicationError) as refused:
        await office.decide(office.decision("u-fin", asked, token=token))
    assert refused.value.type == RefusalCode.TOKEN_EXPIRED
    assert await office.refusals() == [("unverified", RefusalCode.TOKEN_EXPIRED)]


async def test_what_an_attempt_decided_in_time_the_next_one_tells_however_late_it_comes(office: Office) -> None:
    asked = await office.open()
    decision = office.decision("u-fin", asked, token=office.token("u-fin", asked, life=timedelta(minutes=5)))
    first = await office.decide(decision, attempt_of="request")
    office.passes(timedelta(minutes=5))
    assert await office.decide(decision, attempt_of="request") == first
    assert await office.refusals() == []
    with pytest.raises(ApplicationError) as refused:
        await office.decide(decision, attempt_of="another request")
    assert refused.value.type == RefusalCode.TOKEN_EXPIRED


async def test_an_expired_token_that_proves_nothing_either_is_refused_at_once(office: Office) -> None:
    asked = await office.open()
    token = signed(office, claims(asked, approval_id=None, content_hash=None))
    office.passes(timedelta(minutes=5))
    with pytest.raises(ApplicationError) as refused:
        await office.decide(office.decision("u-fin", asked, token=token))
    assert refused.value.type == RefusalCode.TOKEN_EXPIRED and len(await office.refusals()) == 1


async def test_a_token_decides_once(office: Office) -> None:
    asked = await office.open()
    decision = office.decision("u-fin", asked)
    await office.decide(decision)
    with pytest.raises(ApplicationError) as refused:
        await office.decide(decision)
    assert refused.value.type == RefusalCode.TOKEN_REPLAYED
    assert await office.refusals() == [("u-fin", RefusalCode.TOKEN_REPLAYED)]


async def test_a_token_for_another_approval_is_refused(office: Office) -> None:
    asked = await office.open()
    other = question(2, content={"amount_minor": 1})
    with pytest.raises(ApplicationError) as refused:
        await office.decide(office.decision("u-fin", asked, token=office.token("u-fin", other)))
    assert refused.value.type == RefusalCode.TOKEN_INVALID


@pytest.mark.parametrize("changed", [{"content": {"amount_minor": 10_002}}, {"version": 2}, {"subject": "SO26112009"}])
async def test_a_token_for_another_order_amount_or_version_is_refused(office: Office, changed: dict[str, Any]) -> None:
    asked = await office.open()
    other = question(**changed)
    token = signed(office, claims(asked, content_hash=other.content_hash))
    with pytest.raises(ApplicationError) as refused:
        await office.decide(office.decision("u-fin", asked, token=token))
    assert refused.value.type == RefusalCode.HASH_MISMATCH
    assert await office.refusals() == [("u-fin", RefusalCode.HASH_MISMATCH)]


async def test_a_decision_about_what_was_seen_before_the_change_is_refused(office: Office) -> None:
    asked = await office.open()
    seen = question(content={"amount_minor": 9})
    with pytest.raises(ApplicationError) as refused:
        await office.decide(office.decision("u-fin", asked, content_hash=seen.content_hash), asked)
    assert refused.value.type == RefusalCode.HASH_MISMATCH


async def test_a_key_verifies_with_its_own_algorithm_only(office: Office) -> None:
    """RS256 made with a key that the set lists for PS256, and a set with a shared secret in it."""
    asked = await office.open()
    private = rsa.generate_private_key(65537, 2048)
    listed = json.loads(jwt.algorithms.RSAAlgorithm.to_jwk(private.public_key()))
    secret = {"kty": "oct", "kid": "shared", "k": segment(b"0" * 32), "alg": "HS256"}
    keys = read_key_set(json.dumps({"keys": [listed | {"kid": "r", "alg": "PS256"}, secret]}))
    office.issuers = [Issuer(ISSUER, AUDIENCE, GivenKeys(keys))]
    shared = jwt.encode(claims(asked), b"0" * 32, algorithm="HS256", headers={"kid": "shared"})
    wrong = jwt.encode(claims(asked), private, algorithm="RS256", headers={"kid": "r"})
    for token in (shared, wrong):
        with pytest.raises(ApplicationError) as refused:
            await office.decide(office.decision("u-fin", asked, token=token))
        assert refused.value.type == RefusalCode.TOKEN_INVALID
    right = jwt.encode(claims(asked), private, algorithm="PS256", headers={"kid": "r"})
    assert (await office.decide(office.decision("u-fin", asked, token=right))).approved
