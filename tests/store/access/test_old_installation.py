"""An installation whose one role owns everything gets owners and roles without losing a row, and goes on meanwhile."""

import secrets
import shutil
import subprocess
from collections.abc import AsyncIterator
from pathlib import Path
from urllib.parse import urlsplit, urlunsplit

import asyncpg
import pytest
from asyncpg.exceptions import InsufficientPrivilegeError

from deploy.local.postgres_binaries import find_binaries
from store import migrate as migrating
from store.migrate import MIGRATIONS, UnableToMigrate, migrate
from store.orders.orders import OrderStore
from store.pool import open_pool
from tests.postgres import administer, at, server_url, template
from tests.store.access.logins import logged_in
from tests.store.access.test_grants import granted, ruled, without_a_rule
from tests.store.examples import a_settled_order

FIRST = "0195"
ROLES_FILE = Path(__file__).resolve().parents[3] / "deploy" / "database-roles.sql"


@pytest.fixture
async def old(monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> AsyncIterator[tuple[str, str]]:
    """Name of the role and address of a database of the version before, with an order in it."""
    template()  # the roles are there: other databases of the server have them
    name = f"single_{secrets.token_hex(4)}"
    await administer(f"CREATE ROLE {name} LOGIN PASSWORD '{name}'")
    await administer(f"CREATE DATABASE {name} OWNER {name}")
    parts = urlsplit(at(name))
    url = urlunsplit(parts._replace(netloc=f"{name}:{name}@{parts.hostname}:{parts.port}"))
    for path in MIGRATIONS.glob("*.sql"):
        if path.name < FIRST:
            shutil.copy(path, tmp_path)
    with monkeypatch.context() as before:
        before.setattr(migrating, "MIGRATIONS", tmp_path)
        migrate(url)
    pool = await open_pool(url)
    await pool.execute("INSERT INTO audit (at, actor, action, detail) VALUES (now(), 'u-cs', 'before', '{}')")
    await pool.execute(
        "INSERT INTO skus (sku, supplier, logistics, customs, updated_at) SELECT 'A', 'S', 'ambient', 'domestic', now()"
    )
    await pool.close()
    yield name, url
    await administer(f"DROP DATABASE {name} WITH (FORCE)")
    await administer(f"DROP OWNED BY {name}")
    await administer(f"DROP ROLE {name}")


def make_roles(name: str) -> None:
    """As an administrator does, once."""
    psql = [str(find_binaries().bin / "psql"), "-X", "-q", "-v", "ON_ERROR_STOP=1", "-v", f"migrator={name}"]
    done = subprocess.run(
        [*psql, "-f", str(ROLES_FILE), server_url()], check=False, capture_output=True, text=True, timeout=30
    )
    assert done.returncode == 0, done.stderr


async def test_without_the_roles_the_migration_says_what_to_do_and_changes_nothing(old: tuple[str, str]) -> None:
    _, url = old
    with pytest.raises(UnableToMigrate, match=r"is no member of oms_owner.*deploy/database-roles\.sql"):
        migrate(url)
    connection = await asyncpg.connect(url)
    assert await connection.fetchval("SELECT to_regclass('access_rules')") is None
    await connection.close()


async def test_everything_gets_an_owner_and_its_rights_and_the_old_login_goes_on(old: tuple[str, str]) -> None:
    name, url = old
    make_roles(name)
    make_roles(name)
    running = await open_pool(url)  # a process of the old version, still at work
    migrate(url)
    assert await running.fetchval("SELECT actor FROM audit") == "u-cs"
    assert (await running.fetchval("SELECT count(*) FROM skus")) == 1
    assert await without_a_rule(running) == set() and await granted(running) == await ruled(running)
    await running.execute("INSERT INTO audit (at, actor, action, detail) VALUES (now(), 'u-cs', 'after', '{}')")
    await a_settled_order(OrderStore(running))
    assert "Applied" not in migrate(url)
    await running.close()
    async with logged_in(at(name), "oms_relay") as relay:
        assert await relay.fetchval("SELECT count(*) FROM orders") == 1
        with pytest.raises(InsufficientPrivilegeError):
            await relay.execute("UPDATE orders SET status = 'CLOSED'")


async def test_the_next_migration_can_be_made_by_the_same_login(old: tuple[str, str]) -> None:
    name, url = old
    make_roles(name)
    migrate(url)
    pool = await open_pool(url)
    await pool.execute("ALTER TABLE orders ADD COLUMN novelty text")
    await pool.execute("CREATE TABLE novelty (n int)")
    await pool.execute("INSERT INTO access_rules (object, bi) VALUES ('novelty', 'SELECT')")
    await pool.execute("SELECT settle_access()")
    assert await without_a_rule(pool) == set()
    await pool.close()
