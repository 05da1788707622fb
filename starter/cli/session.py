"""Who has signed in here: `oms login`. A file that only its owner can read remembers it until it expires."""

import os
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import Annotated

from pydantic import AwareDatetime, Field

from config.sources import state_dir
from domain.order import Id
from domain.strict import Strict, UnableToRead, parse

LIFE = timedelta(hours=8)
MAX_BYTES = 30_000


class Granted(Strict):
    """What an identity provider has given; `until`: how long the access token serves."""

    access_token: Annotated[str, Field(max_length=8_192)]
    until: AwareDatetime
    refresh_token: Annotated[str, Field(max_length=8_192)] | None = None
    exchange_url: str


class Session(Strict):
    """`granted` None: at the local issuer of a developer's stack."""

    person: Id
    until: AwareDatetime
    granted: Granted | None = None


def file() -> Path:
    return state_dir() / "session.json"


def remember(person: str, now: datetime, granted: Granted | None = None) -> Session:
    """Raises `OSError`."""
    return keep(Session(person=person, until=now + LIFE, granted=granted))


def keep(session: Session) -> Session:
    """Raises `OSError`."""
    file().parent.mkdir(mode=0o700, parents=True, exist_ok=True)
    forget()
    descriptor = os.open(file(), os.O_WRONLY | os.O_CREAT | os.O_EXCL, 0o600)
    with os.fdopen(descriptor, "w") as out:
        out.write(session.model_dump_json())
    return session


def forget() -> bool:
    """False: nobody had signed in."""
    there = file().exists()
    file().unlink(missing_ok=True)
    return there


def current() -> Session | None:
    """None: nobody, or too long ago. A file that others can write or read is not believed."""
    try:
        if file().stat().st_mode & 0o077:
            return None
        session = parse(Session, file().read_bytes(), max_bytes=MAX_BYTES)
    except (OSError, UnableToRead):
        return None
    return session if session.until > datetime.now(UTC) else None
