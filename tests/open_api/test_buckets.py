"""Made-up tokens cost who makes them up, and nobody who comes with a real one for the first time."""

from console.api.buckets import ALL_STRANGERS_A_SECOND, STRANGERS_A_SECOND, Buckets

NOW = 1_000.0


def made_up(n: int) -> bytes:
    return n.to_bytes(32, "big")


def test_a_flood_of_one_address_keeps_no_other_address_out() -> None:
    buckets = Buckets()
    taken = [buckets.take(made_up(n), "203.0.113.7", NOW) for n in range(1_000)]
    assert taken.count(0.0) == STRANGERS_A_SECOND and all(wait > 0 for wait in taken[int(STRANGERS_A_SECOND) :])
    assert buckets.take(made_up(5_000), "198.51.100.4", NOW) == 0.0
    assert buckets.take(made_up(5_001), "203.0.113.7", NOW + 1) == 0.0, "a second later it may again"


def test_many_addresses_together_have_a_bound_too_and_known_tokens_have_their_own() -> None:
    buckets = Buckets()
    known = made_up(1)
    buckets.know(known, 600, NOW)
    taken = [buckets.take(made_up(n + 10), f"2001:db8::{n:x}", NOW) for n in range(2_000)]
    assert taken.count(0.0) == ALL_STRANGERS_A_SECOND
    assert buckets.take(known, "2001:db8::1", NOW) == 0.0
