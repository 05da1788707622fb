"""`oms login`, `logout`, `whoami`: who gives the commands of this machine's user."""

from datetime import UTC, datetime
from typing import Annotated

import httpx
import typer

from config.login import LoginSettings, load_login
from config.sources import is_local_stack
from starter.cli import output, session
from starter.cli.connections import database
from starter.cli.errors import CommandFailed, fail, run, say
from starter.cli.options import Json, usable_id
from starter.clients.device_login import DeviceLogin, NoSignIn, Tokens
from store.approvals.people import PeopleStore

TIMEOUT_S = 20.0


def login(
    person: Annotated[
        str | None,
        typer.Option("--as", help="On a developer's stack: your id, as the books know you (`oms people list`)."),
    ] = None,
    json: Json = False,
) -> None:
    """Sign in, for eight hours: in a browser on any device at your identity provider (OMS_LOGIN_ISSUER), or at the
    local issuer of a developer's stack. What you do is then proven as yours.

    Examples:

        oms login

        oms login --as u-sup
    """
    found = run(_login_elsewhere() if person is None else _login(person))
    if json:
        output.as_json({"person": found.person, "until": found.until})
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


async def _login_elsewhere() -> session.Session:
    settings = load_login()
    if settings is None:
        raise CommandFailed("there is no identity provider here: set OMS_LOGIN_ISSUER and OMS_LOGIN_CLIENT_ID.")
    async with httpx.AsyncClient(timeout=TIMEOUT_S, follow_redirects=False) as http:
        login = DeviceLogin(http, settings.issuer, settings.client_id, settings.scope)
        try:
            offer = await login.begin()
            say(f"Open {offer.complete_uri or offer.verification_uri} on any device and enter {offer.user_code}.")
            return signed_in(await login.tokens(offer), settings, datetime.now(UTC))
        except NoSignIn as why:
            raise CommandFailed(f"{why}.") from None


def signed_in(tokens: Tokens, settings: LoginSettings, now: datetime) -> session.Session:
    """Kept in a file that only its owner can read. Raises `CommandFailed`."""
    granted = session.Granted(
        access_token=tokens.access_token, until=tokens.until, refresh_token=tokens.refresh_token,
        exchange_url=settings.exchange_url or tokens.token_endpoint,
    )  # fmt: skip
    try:
        return session.remember(usable_id("the provider's sub", tokens.person), now, granted)
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
        fail(CommandFailed("nobody is signed in; `oms login`, on a developer's stack `oms login --as PERSON`."))
    if json:
        output.as_json({"person": found.person, "until": found.until})
    else:
        output.line(f"{found.person} until {found.until:%Y-%m-%d %H:%M} UTC")
