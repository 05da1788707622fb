"""`oms token`: the local issuer, for installations without an identity provider.

Whoever holds its key can name anybody: it belongs to the machine that people log in to, not to the worker."""

import secrets
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import Annotated

import typer

from config.optional import TokenSettings
from config.settings import UnableToConfigure, load
from domain.access.authority import READING
from domain.approvals import ApprovalRequest
from providers.tokens import issue as issuing
from providers.tokens.errors import UnusableKeys
from starter.cli import output
from starter.cli.connections import database
from starter.cli.errors import BadInput, CommandFailed, fail, run
from starter.cli.options import Json, name_freely, usable_id
from store.approvals.approvals import ApprovalStore

READS_FOR = timedelta(minutes=15)
"""As long as the codec server takes one."""


def issue(
    person: Annotated[str, typer.Option("--as", help="Who decides.")],
    approval: Annotated[str, typer.Option("--approval", metavar="ID", help="What is decided.")],
    json: Json = False,
) -> None:
    """Issue a token for one person and one approval as it is now; it lives for minutes and decides once.

    Example: TOKEN=$(oms token issue --as u-sup --approval A-SO2603020101-1)
    """
    token = run(_issue(person, approval))
    if json:
        output.as_json({"token": token})
    else:
        print(token)


async def _issue(person: str, number: str) -> str:
    who = usable_id("--as", person)
    async with database() as pool:
        approval = await ApprovalStore(pool).get(number)
    if approval is None:
        raise CommandFailed(f"there is no approval {number!r}; look with `oms approve list`.")
    return make_token(who, approval.request)


def make_token(person: str, request: ApprovalRequest) -> str:
    """Raises `CommandFailed` when the issuer's key is not here."""
    settings = _settings()
    return issuing.issue(
        _key(settings),
        usable_id("--as", person),
        request.approval_id,
        request.content_hash,
        token_id=secrets.token_urlsafe(18),
        issuer=settings.issuer,
        audience=settings.audience,
        now=datetime.now(UTC),
        life=timedelta(seconds=settings.life_s),
    )


def read(
    person: Annotated[str, typer.Option("--as", help="Who reads.")],
    json: Json = False,
) -> None:
    """Issue a token for reading what stands encrypted in histories, at the codec server; it lives for minutes.

    Example: temporal workflow show -w order/SO2603020101 --codec-auth "Bearer $(oms token read --as u-ops)"
    """
    try:
        settings = _settings()
        token = issuing.issue_proof(
            _key(settings), usable_id("--as", person), READING, token_id=secrets.token_urlsafe(18),
            issuer=settings.issuer, audience=settings.audience, now=datetime.now(UTC), life=READS_FOR,
        )  # fmt: skip
    except CommandFailed as e:
        fail(e)
    if json:
        output.as_json({"token": token})
    else:
        print(token)


def keygen(
    out: Annotated[Path, typer.Option("--out", help="File for the private key; it must not exist.")],
    json: Json = False,
) -> None:
    """Make a signing key: the private half into a file that only you can read, the public half to the screen.

    Example: oms token keygen --out /run/secrets/oms_tokens_private_key > jwks.json
    """
    pem = issuing.new_key()
    try:
        out.touch(mode=0o600, exist_ok=False)
        out.write_text(pem)
    except OSError as e:
        fail(BadInput(f"{out} cannot be written: {e.strerror}; nothing was made."))
    output.as_json(issuing.key_set(issuing.read_key(pem)))


def jwks(json: Json = False) -> None:
    """Print the public half of this machine's signing key, for OMS_TOKENS_JWKS of the worker.

    Example: oms token jwks > jwks.json
    """
    try:
        output.as_json(issuing.key_set(_key(_settings())))
    except CommandFailed as e:
        fail(e)


def _settings() -> TokenSettings:
    try:
        return load(TokenSettings)
    except UnableToConfigure as e:
        raise CommandFailed(f"the local issuer is not configured: {e}.") from None


def _key(settings: TokenSettings) -> issuing.SigningKey:
    name_freely("the local issuer's key")
    if settings.private_key is None:
        raise CommandFailed(
            "OMS_TOKENS_PRIVATE_KEY is not set here; get the token from your issuer and give it as --token."
        )
    try:
        return issuing.read_key(settings.private_key.get_secret_value())
    except UnusableKeys as e:
        raise CommandFailed(f"OMS_TOKENS_PRIVATE_KEY: {e}.") from None
