"""`oms login`, `logout`, `whoami`: who gives the commands of this machine's user."""

from datetime import UTC, datetime
from typing import Annotated

import typer

from config.sources import is_local_stack
from starter.cli import output, session
from starter.cli.connections import database
from starter.cli.errors import CommandFailed, fail, run
from starter.cli.options import Json, usable_id
from store.approvals.people import PeopleStore


def login(
    person: Annotated[str, typer.Option("--as", help="Your id, as the books know you (`oms people list`).")],
    json: Json = False,
) -> None:
    """Sign in at the local issuer of a developer's stack; commands are then yours, for eight hours.

    Example: oms login --as u-sup
    """
    found = run(_login(person))
    if json:
        output.as_json(found)
    else:
        output.line(f"You are {found.person} until {found.until:%Y-%m-%d %H:%M} UTC; `oms logout` ends it.")


async def _login(person: str) -> session.Session:
    who, now = usable_id("--as", person), datetime.now(UTC)
    if not is_local_stack():
        raise CommandFailed(
            "the local issuer signs people in on a developer's stack only (OMS_ENVIRONMENT=local); here your identity "
            "provider does, and a command takes its token (docs/authority.md)."
        )
    async with database() as pool:
        known = await PeopleStore(pool).principal(who, now)
    if known is None or not known.active:
        raise CommandFailed(f"{who} is {'deactivated' if known else 'not known'}; look with `oms people list`.")
    try:
        return session.remember(who, now)
    except OSError as e:
        raise CommandFailed(f"{session.file()} cannot be written: {e.strerror}; nobody is signed in.") from None


def logout(json: Json = False) -> None:
    """Sign out.

    Example: oms logout
    """
    try:
        was = session.forget()
    except OSError as e:
        fail(CommandFailed(f"{session.file()} cannot be removed: {e.strerror}."))
    if json:
        output.as_json({"signed_out": was})
    else:
        output.line("You are signed out." if was else "Nobody was signed in.")


def whoami(json: Json = False) -> None:
    """Say who is signed in, and until when.

    Example: oms whoami
    """
    found = session.current()
    if found is None:
        fail(CommandFailed("nobody is signed in; `oms login --as PERSON`."))
    if json:
        output.as_json(found)
    else:
        output.line(f"{found.person} until {found.until:%Y-%m-%d %H:%M} UTC")
