"""Options that several commands share, and who is acting."""

import getpass
import re
from datetime import datetime, timedelta
from pathlib import Path
from typing import Annotated

import typer
from pydantic import TypeAdapter, ValidationError

from config.sources import is_local_stack
from domain.order import Id, OrderNo, Text
from starter.cli import session
from starter.cli.errors import BadInput, Forbidden
from starter.cli.text import SHANGHAI

Json = Annotated[bool, typer.Option("--json", help="Print JSON for machines (amounts in minor units).")]
By = Annotated[
    str | None,
    typer.Option("--by", help="Who does this, on a developer's stack. [default: who is signed in, or this user]"),
]
Proof = Annotated[
    str | None,
    typer.Option(
        "--proof", envvar="OMS_COMMAND_PROOF",
        help="Token that proves who asks; without one, outside a developer's stack, it is told what to make one for.",
    ),
]  # fmt: skip
Key = Annotated[
    str | None,
    typer.Option("--key", help="Your own key of this command: told again under it, it gets the first answer."),
]
Limit = Annotated[int, typer.Option("--limit", min=1, max=1000, help="At most so many rows.")]

_SPAN = re.compile(r"([1-9][0-9]{0,4})([mhd])", re.ASCII)
_UNITS = {"m": timedelta(minutes=1), "h": timedelta(hours=1), "d": timedelta(days=1)}
_ID, _TEXT, _ORDER_NO = TypeAdapter(Id), TypeAdapter(Text), TypeAdapter(OrderNo)


def actor(by: str | None) -> str:
    """The acting person's id: who is signed in, else the user of this machine; on a developer's stack anybody who is
    named. Raises `BadInput`, `Forbidden`."""
    if by is not None:
        name_freely("--by")
        return usable_id("--by", by)
    signed_in = session.current()
    if signed_in is not None:
        return signed_in.person
    return usable_id("--by", re.sub(r"[^A-Za-z0-9._-]", "-", _os_user()).strip("-."))


def name_freely(option: str) -> None:
    """Raises `Forbidden` where people are not believed by name."""
    if not is_local_stack():
        raise Forbidden(
            f"{option} is for a developer's stack (OMS_ENVIRONMENT=local): elsewhere nobody acts under a name that "
            "they only give. Leave it out; who you are is proven by your sign-in (docs/authority.md)."
        )


def usable_id(option: str, name: str) -> str:
    """Raises `BadInput`."""
    try:
        return _ID.validate_python(name)
    except ValidationError:
        raise BadInput(f"{option} {name!r} is no usable id: letters, digits and . _ - / :, at most 64.") from None


def own_key(key: str | None) -> str | None:
    """A caller's key of a command. Raises `BadInput`."""
    try:
        return None if key is None else _ID.validate_python(key)
    except ValidationError:
        raise BadInput(f"--key {key!r} is no usable key: letters, digits and . _ - / :, at most 64.") from None


def order_number(number: str) -> str:
    """A well-formed order number. Raises `BadInput`."""
    try:
        return _ORDER_NO.validate_python(number)
    except ValidationError:
        raise BadInput(f"{number!r} is no order number: 6 to 26 letters, digits, _ and -.") from None


def sentence(name: str, value: str) -> str:
    """A remark or reason: 1 to 200 characters without control characters. Raises `BadInput`."""
    try:
        return _TEXT.validate_python(value)
    except ValidationError:
        raise BadInput(f"{name} must have 1 to 200 characters and no control characters.") from None


def remark_of(value: str) -> str:
    """Why somebody does something: `sentence`, and not blank. Raises `BadInput`."""
    if not value.strip():
        raise BadInput("--remark must say why; it is kept with the ticket.")
    return sentence("--remark", value)


def span(name: str, value: str) -> timedelta:
    """A span of time as `30m`, `2h`, `7d`. Raises `BadInput`."""
    ago = _SPAN.fullmatch(value)
    if ago is None:
        raise BadInput(f"{name} {value!r} is no span like 30m, 2h or 7d.")
    return int(ago[1]) * _UNITS[ago[2]]


def moment(name: str, value: str, now: datetime) -> datetime:
    """`2h` ago, or a date or time, in Shanghai unless it says otherwise. Raises `BadInput`."""
    if _SPAN.fullmatch(value):
        return now - span(name, value)
    try:
        given = datetime.fromisoformat(value)
    except ValueError:
        raise BadInput(f"{name} {value!r} is neither a span like 2h nor a time like 2026-03-02T10:00.") from None
    return given if given.tzinfo else given.replace(tzinfo=SHANGHAI)


def read(path: Path, most: int) -> bytes:
    """The bytes of a file, or of stdin for `-`, at most `most` of them. Raises `BadInput`."""
    try:
        if str(path) == "-":
            data = typer.get_binary_stream("stdin").read(most + 1)
        else:
            with path.open("rb") as file:
                data = file.read(most + 1)
    except OSError as e:
        raise BadInput(f"{path} cannot be read: {e.strerror}.") from None
    if len(data) > most:
        raise BadInput(f"{'the input' if str(path) == '-' else path} has more than {most} bytes; nothing was read.")
    return data


def _os_user() -> str:
    try:
        return getpass.getuser()
    except (OSError, KeyError):
        return "unknown"
