"""`oms api-token`: what programs of others may do here. One administrator asks for a token, another decides; to revoke
takes one."""

import re
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import Annotated

import typer

from config.sources import is_local_stack
from domain.access.api_tokens import LONGEST_LIFE, SERVICE, ApiScope
from domain.access.controls import AddApiToken, RevokeApiToken
from providers.tokens.api_tokens import key_of, new_text, public_half
from starter.cli import output
from starter.cli.approvals.controls import ask_for, asked, show_question
from starter.cli.connections import database
from starter.cli.errors import BadInput, run, say
from starter.cli.options import By, Json, Proof, actor, read, usable_id
from starter.cli.text import SHANGHAI
from starter.text.marking import N_
from store.approvals.api_tokens import ApiTokenStore, ListedToken

_NAME = re.compile(r"[a-z][a-z0-9-]{1,39}")
Name = Annotated[str, typer.Argument(metavar="NAME", help="The program's name: small letters, digits and -.")]
Number = Annotated[str, typer.Argument(metavar="NUMBER", help="The token's number, as `oms api-token list` shows it.")]


def add(
    name: Name,
    scopes: Annotated[list[ApiScope], typer.Option("--scope", help="What it may do; may be given several times.")],
    channels: Annotated[
        list[str] | None, typer.Option("--channel", help="Only this shop; several times. [default: all]")
    ] = None,
    warehouses: Annotated[
        list[str] | None, typer.Option("--warehouse", help="Only this warehouse; several times. [default: all]")
    ] = None,
    days: Annotated[int, typer.Option("--days", min=1, max=LONGEST_LIFE.days, help="How long it counts.")] = 90,
    per_minute: Annotated[int, typer.Option("--per-minute", min=1, max=60_000, help="Requests, at most.")] = 600,
    file: Annotated[
        Path | None, typer.Option("--from", help="File with a text of `oms api-token text`; else it is made and shown.")
    ] = None,
    by: By = None,
    proof: Proof = None,
    json: Json = False,
) -> None:
    """Ask for a token; its text is shown once, here, and counts once another administrator has agreed. Where a proof is
    needed, make the text first: what is proven names it.

    Examples:

        oms api-token add erp --scope orders:read --scope orders:write --scope events:read --by u-admin

        oms api-token add wms --scope stock:write --warehouse WH-EAST --days 30 --by u-admin

        oms approve approve A-people/api/erp-1 --as u-admin2 --remark "contract of 2 March seen"
    """
    made = _text(file)
    key = key_of(made)
    if key is None:
        raise BadInput(f"{file} holds no text of `oms api-token text`.")
    change = AddApiToken(
        service=_service(name), token_no=key.key_id, public_key=public_half(key).hex(),
        scopes=tuple(dict.fromkeys(scopes)), per_minute=per_minute,
        channels=tuple(usable_id("--channel", c) for c in channels) if channels else None,
        warehouses=tuple(usable_id("--warehouse", w) for w in warehouses) if warehouses else None,
        expires_at=_midnight(days),
    )  # fmt: skip
    answer = run(asked(change, actor(by), proof))
    if json:
        output.as_json({**({"token": made} if file is None else {}), "token_no": key.key_id, "answer": answer})
        return
    if answer.approval is not None:
        show_question(answer.approval)
    if file is None:
        say("The token, shown this once; give it to the program as a secret:")
        output.line(made)


def text() -> None:
    """Make the text of a token, for `oms api-token add --from`; it counts for nothing yet.

    Example: (umask 077; oms api-token text > erp.token)
    """
    output.line(new_text())


def _text(file: Path | None) -> str:
    if file is not None:
        return read(file, 200).decode(errors="replace").strip()
    if not is_local_stack():
        raise BadInput("make the text first with `oms api-token text > FILE`, and give it with --from FILE.")
    return new_text()


def _midnight(days: int) -> datetime:
    """The same all day: who asks again, with a proof, asks for the same."""
    today = datetime.now(SHANGHAI).replace(hour=0, minute=0, second=0, microsecond=0)
    return (today + timedelta(days=days)).astimezone(UTC)


def list_tokens(json: Json = False) -> None:
    """List tokens, with what they may do and when they were last used.

    Example: oms api-token list
    """
    found = run(_list())
    if json:
        output.as_json([{**vars(t), "token": _shown(t)} for t in found])
        return
    columns = ("program", "number", "state", "scopes", "for", "per minute", "until", "last used", "asked by")
    output.table("API tokens", columns, [_row(t) for t in found])


async def _list() -> tuple[ListedToken, ...]:
    async with database() as pool:
        return await ApiTokenStore(pool).list(datetime.now(UTC))


def revoke(name: Name, number: Number, by: By = None, proof: Proof = None, json: Json = False) -> None:
    """Revoke one token, at once. All of a program's: oms people deactivate api/NAME.

    Example: oms api-token revoke erp 0f3a5c7e9b1d2f40 --by u-admin
    """
    if not re.fullmatch(r"[0-9a-f]{16}", number):
        raise BadInput(f"{number!r} is no number of a token: 16 digits and letters a to f.")
    ask_for(RevokeApiToken(service=_service(name), token_no=number), by, proof, json)


def _service(name: str) -> str:
    plain = name.removeprefix(SERVICE)
    if not _NAME.fullmatch(plain):
        raise BadInput(f"{name!r} is no name of a program: 2 to 40 small letters, digits and -.")
    return SERVICE + plain


def _row(t: ListedToken) -> tuple[object, ...]:
    reach = sorted(t.token.channels or ()) + sorted(t.token.warehouses or ())
    return (
        t.token.service, t.token.token_no, t.state, ", ".join(sorted(t.token.scopes)), ", ".join(reach) or N_("all"),
        t.token.per_minute, t.token.expires_at, t.last_used_at, t.made_by,
    )  # fmt: skip


def _shown(t: ListedToken) -> dict[str, object]:
    return {name: value for name, value in vars(t.token).items() if name != "public_key"}
