"""`oms event replay`: shown first, done on demand, by number, by filter or all."""

import pytest

from domain.facts import Fact, Kind
from store.inbox.inbox import InboxStore, Incoming
from store.pool import Pool
from tests.postgres import database_url
from tests.starter.conftest import Oms
from tests.starter.test_cli_store import NOW, Store, store

__all__ = ["database_url", "store"]


@pytest.fixture
def inbox(store: Store) -> Store:
    """1 and 2 parked, 3 dead, 4 not delivered yet."""

    async def fill(pool: Pool) -> None:
        messages = [
            Incoming("tms" if n == 2 else "kuaidi100", f"e-{n}", "push", b"d" * 32, b"{}", (fact(n),), NOW)
            for n in range(1, 5)
        ]
        await InboxStore(pool).add_many(messages)
        await InboxStore(pool).park([1, 2], "its order is not known yet")
        await InboxStore(pool).dead([3], "too large")

    store(fill)
    return store


def fact(n: int) -> Fact:
    return Fact(key=f"k-{n}", kind=Kind.SIGNED, source="kuaidi100", occurred_at=NOW, waybill_no=f"SF{n}")


def waiting(oms: Oms) -> set[int]:
    return {e["id"] for e in oms("event", "list", "--json").json if e["state"] in ("parked", "dead")}


def test_nothing_is_replayed_without_yes(oms: Oms, inbox: Store) -> None:
    said = oms("event", "replay", "--all")
    assert said.code == 0 and "parks" in said.out and "Nothing was replayed; add --yes" in said.out
    assert waiting(oms) == {1, 2, 3}


@pytest.mark.parametrize(
    ("options", "replayed"),
    [
        (("1", "3"), {1, 3}),
        (("--all",), {1, 2, 3}),
        (("--state", "dead"), {3}),
        (("--source", "kuaidi100"), {1, 3}),
        (("--reason", "not known", "--source", "tms"), {2}),
        (("--since", "2099-01-01"), set()),
    ],
    ids=str,
)
def test_what_fits_is_replayed(oms: Oms, inbox: Store, options: tuple[str, ...], replayed: set[int]) -> None:
    said = oms("event", "replay", *options, "--yes", "--json").json
    assert said["replayed"] == len(replayed)
    assert [e["id"] for e in said["events"]] == sorted(replayed)
    assert waiting(oms) == {1, 2, 3} - replayed


@pytest.mark.parametrize("options", [(), ("1", "--all"), ("--since", "soon")], ids=str)
def test_it_has_to_be_said_which(oms: Oms, inbox: Store, options: tuple[str, ...]) -> None:
    assert oms("event", "replay", *options, "--yes").code == 2
    assert waiting(oms) == {1, 2, 3}


def test_an_event_that_is_not_there_is_said_and_nothing_replayed(oms: Oms, inbox: Store) -> None:
    said = oms("event", "replay", "1", "99", "--yes")
    assert (said.code, "99" in said.err) == (1, True)
    assert waiting(oms) == {1, 2, 3}
