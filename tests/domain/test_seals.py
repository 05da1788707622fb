"""A seal holds for these bytes, this workflow, this purpose and this key, and for nothing else."""

import pytest

from domain.trust.seals import RELAY, WORKFLOW, KeyRing, SealedAs

RING = KeyRing({"relay.1": b"r" * 32, "worker.1": b"w" * 32}, own="relay.1")
MESSAGE = ("order/SO1", b"json/plain", b'{"facts":[]}')


def sealed(ring: KeyRing = RING, purpose: str = WORKFLOW) -> str:
    workflow_id, encoding, data = MESSAGE
    return ring.seal(workflow_id, purpose, encoding, data)


def test_a_seal_tells_who_sealed_it_and_as_what() -> None:
    assert RING.read(sealed(), *MESSAGE) == SealedAs(RELAY, WORKFLOW)


@pytest.mark.parametrize(
    "other",
    [
        ("order/SO2", b"json/plain", b'{"facts":[]}'),
        ("order/SO1", b"binary/plain", b'{"facts":[]}'),
        ("order/SO1", b"json/plain", b'{"facts":[] }'),
        ("order/SO1j", b"son/plain", b'{"facts":[]}'),
    ],
)
def test_a_seal_of_something_else_is_nobodys(other: tuple[str, bytes, bytes]) -> None:
    assert RING.read(sealed(), *other) == SealedAs()


@pytest.mark.parametrize(
    "seal", ["", ":", "relay.1", "relay.1:workflow", "relay.1:workflow:", "relay.2:workflow:00", "é"]
)
def test_what_is_no_seal_is_nobodys(seal: str) -> None:
    assert RING.read(seal, *MESSAGE) == SealedAs()


def test_a_role_is_the_keys_and_a_purpose_is_sealed_with_the_rest() -> None:
    assert RING.read(sealed().replace("relay.1", "worker.1"), *MESSAGE) == SealedAs()
    assert RING.read(sealed().replace(WORKFLOW, "activity.payment.refund"), *MESSAGE) == SealedAs()


def test_a_key_that_is_not_in_use_any_more_is_still_read() -> None:
    newer = KeyRing({**RING.keys, "relay.2": b"n" * 32}, own="relay.2")
    assert newer.read(sealed(), *MESSAGE) == newer.read(sealed(newer), *MESSAGE) == SealedAs(RELAY, WORKFLOW)


def test_no_key_is_shown() -> None:
    assert "rrrr" not in repr(RING)
