"""A login for every process of the local stack: a member of its role, owner of nothing, no superuser.

`python -m deploy.local.logins FILE`, after the migrations. FILE (private): JSON of the owner's address and of each
login's, by role. What is there already gets its password again.
"""

import asyncio
import json
import sys
from collections.abc import Mapping
from pathlib import Path
from urllib.parse import unquote, urlsplit

import asyncpg

ROLES = ("oms_relay", "oms_worker", "oms_operator", "oms_console")


def login_of(role: str) -> str:
    return f"{role}_login"


def as_role(url: str, role: str) -> str:
    """An administrator's address, for a session that may do what the role may: for plays without logins."""
    return f"{url}{'&' if '?' in url else '?'}role={role}"


async def make_logins(owner_url: str, urls: Mapping[str, str]) -> None:
    """`urls`: by role. May be repeated."""
    connection = await asyncpg.connect(owner_url, timeout=10)
    try:
        async with connection.transaction():
            for role, url in urls.items():
                login, password = login_of(role), unquote(urlsplit(url).password or "")
                there = await connection.fetchval("SELECT EXISTS (SELECT FROM pg_roles WHERE rolname = $1)", login)
                verb = "ALTER" if there else "CREATE"
                # Roles are made by statements without parameters: the server quotes their parts.
                for text, *parts in (
                    (f"{verb} ROLE %I LOGIN NOSUPERUSER NOCREATEDB NOCREATEROLE PASSWORD %L", login, password),
                    ("GRANT %I TO %I WITH INHERIT TRUE, SET FALSE", role, login),
                ):
                    await connection.execute(
                        await connection.fetchval("SELECT format($1, VARIADIC $2::text[])", text, parts)
                    )
    finally:
        await connection.close()


def main(arguments: list[str]) -> int:
    if len(arguments) != 1:
        sys.stderr.write(f"{__doc__}\n")
        return 2
    told: dict[str, str] = json.loads(Path(arguments[0]).read_text())
    asyncio.run(make_logins(told.pop("owner"), told))
    return 0


if __name__ == "__main__":
    sys.exit(main(sys.argv[1:]))
