"""Without payload keys nothing but a trial on one machine starts, and a wrong key is named without being shown."""

import base64

import pytest

from config.payload_keys import load_payload_keys
from config.settings import UnableToConfigure
from domain.trust.encryption import PayloadKeys

KEYS = {name: base64.b64encode(fill * 32).decode() for name, fill in (("new", b"n"), ("old", b"o"))}
BOTH = ",".join(f"{name}:{key}" for name, key in KEYS.items())


def given(monkeypatch: pytest.MonkeyPatch, keys: str, own: str) -> PayloadKeys | None:
    monkeypatch.setenv("OMS_ENVIRONMENT", "prod")
    monkeypatch.setenv("OMS_PAYLOAD_KEYS", keys)
    monkeypatch.setenv("OMS_PAYLOAD_OWN", own)
    return load_payload_keys()


@pytest.mark.parametrize(("own", "writes"), [("new", "new"), ("old", "old"), ("clear", None)])
def test_one_key_writes_or_none_and_all_read(monkeypatch: pytest.MonkeyPatch, own: str, writes: str | None) -> None:
    found = given(monkeypatch, BOTH, own)
    assert found == PayloadKeys({"new": b"n" * 32, "old": b"o" * 32}, writes)
    assert "nnn" not in repr(found)


@pytest.mark.parametrize("environment", ["prod", "test", ""])
def test_without_keys_only_a_local_stack_starts(monkeypatch: pytest.MonkeyPatch, environment: str) -> None:
    monkeypatch.delenv("OMS_PAYLOAD_KEYS", raising=False)
    monkeypatch.setenv("OMS_ENVIRONMENT", environment)
    with pytest.raises(UnableToConfigure, match="OMS_PAYLOAD_KEYS and OMS_PAYLOAD_OWN"):
        load_payload_keys()
    monkeypatch.setenv("OMS_ENVIRONMENT", "local")
    assert load_payload_keys() is None


@pytest.mark.parametrize(
    ("keys", "own", "why"),
    [
        (BOTH, "", "OMS_PAYLOAD_OWN"),
        (BOTH, "other", "OWN is none of the ids in KEYS"),
        (f"{BOTH},new:{KEYS['old']}", "new", "two keys 'new'"),
        ("new:not base64!", "new", "key 'new' is not base64"),
        ("new:c2hvcnQ=", "new", "32 bytes"),
        (f"clear:{KEYS['new']}", "clear", "key 'clear'"),
        (f":{KEYS['new']}", "new", "key ''"),
        (f"a b:{KEYS['new']}", "a b", "key 'a b'"),
    ],
)
def test_a_wrong_key_is_named_and_not_shown(monkeypatch: pytest.MonkeyPatch, keys: str, own: str, why: str) -> None:
    with pytest.raises(UnableToConfigure, match=why) as refused:
        given(monkeypatch, keys, own)
    assert not [key for key in (*KEYS.values(), "c2hvcnQ", "not base64!") if key in str(refused.value)]
