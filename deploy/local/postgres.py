"""One PostgreSQL cluster of our own: TCP on 127.0.0.1 only, SCRAM password generated at first start, no socket file."""

import json
import os
import pwd
import re
import secrets
import shutil
import signal
import subprocess
import tempfile
import time
from collections.abc import Iterator
from contextlib import contextmanager, suppress
from dataclasses import dataclass
from pathlib import Path
from typing import IO, Any

from deploy.local import orphans, ports, processes
from deploy.local.postgres_binaries import SYSTEM_HOME, Binaries, can_pass, find_binaries, reachable
from deploy.local.private_files import write_private

ROLE = "oms"
DATABASE = "oms"
PREFIX = "oms-pg-"
COPIED = "STRATEGY FILE_COPY"
"""How a template becomes a database: measured, half the processor time of the default, which writes it to the log."""
ROOM_IN_MEMORY = 4 * 1024**3
"""Bytes: a dozen databases and 256 MiB of log for each of two servers, many times over."""


class UnableToRunPostgres(RuntimeError):
    """PostgreSQL could not be created, started or stopped. The text says what to look at or to set."""


@dataclass(frozen=True)
class Account:
    """The account PostgreSQL runs under. PostgreSQL refuses to run as root."""

    uid: int
    gid: int

    def as_arguments(self) -> dict[str, Any]:
        """Arguments for `subprocess`: nothing to change unless we are root."""
        if os.geteuid() != 0:
            return {}
        return {"user": self.uid, "group": self.gid, "extra_groups": []}


class LocalPostgres:
    """Creates, starts and stops the cluster kept under `home`.

    `home` keeps the password (0600) and the data; as root, when an unprivileged account cannot reach `home`, the data
    lies under `/var/lib/order-orchestrator` and `home/place` says where.
    `durable=False` turns fsync off: for tests only. `die_with_parent` ends the server with the process that started it;
    with `counts` it counts statements."""

    def __init__(
        self, home: Path, *, port: int, durable: bool = True, die_with_parent: bool = False, counts: bool = False
    ) -> None:
        self.home = home
        self.port = port
        self.log = home / "postgres.log"
        self._durable, self._counts = durable, counts
        self._die_with_parent = die_with_parent
        self._process: subprocess.Popen[bytes] | None = None

    # What others need to know

    def url(self, database: str = DATABASE, login: str = ROLE) -> str:
        """Address for asyncpg and dbmate alike. Holds the password. `login`: another than the owner, one that
        `deploy/local/logins.py` makes."""
        return f"postgres://{login}:{self._password(login)}@{ports.LOOPBACK}:{self.port}/{database}?sslmode=disable"

    def command(self) -> list[str]:
        """The server's command line. Run `prepare` first, and use `launch_arguments` for the account."""
        # Without fsync a killed server still keeps what it committed; only a power cut would lose it.
        durable = [] if self._durable else ["-c", "fsync=off", "-c", "full_page_writes=off", "-c", "max_wal_size=256MB"]
        counts = ["-c", "shared_preload_libraries=pg_stat_statements"] if self._counts else []
        return [
            *(str(self._binaries().postgres), "-D", str(self.data)),
            *("-c", f"listen_addresses={ports.LOOPBACK}", "-c", f"port={self.port}", "-c", "unix_socket_directories="),
            *("-c", "max_connections=200", "-c", "shared_buffers=128MB", "-c", "timezone=UTC"),
            *("-c", "password_encryption=scram-sha-256", *durable, *counts),
        ]

    def launch_arguments(self) -> dict[str, Any]:
        return {**self._account().as_arguments(), "cwd": "/", "env": {"PATH": os.defpath, "LC_ALL": "C.UTF-8"}}

    def ready(self) -> bool:
        """True when the server says in its own lock file that it takes connections."""
        lines = self._lock_lines()
        return len(lines) >= 8 and lines[7].strip() == "ready" and self.running() is not None

    def running(self) -> processes.Identity | None:
        """The server that holds this cluster now, whoever started it."""
        lines = self._lock_lines()
        if not lines or not lines[0].strip().isdigit():
            return None
        who = processes.identify(int(lines[0]))
        return who if who and str(self.data) in processes.command_line(who.pid) else None

    # Life

    def prepare(self) -> None:
        """Make the cluster if there is none, and end a server that an earlier, killed run has left on it."""
        if not (self.data / "PG_VERSION").exists():
            self._create()
        leftover = self.running()
        if leftover:
            processes.end(leftover, signal.SIGINT, 20)
        elif processes.older_than_this_boot(self.data / "postmaster.pid"):
            # The id in it may belong to another program by now, at which PostgreSQL would stop.
            (self.data / "postmaster.pid").unlink()
        else:
            self._bury_the_killed()

    def _bury_the_killed(self) -> None:
        """The lock file of a postmaster that was killed: once nobody holds its memory it says nothing any more. As long
        as its parent has not taken note of its death, PostgreSQL would take it for alive."""
        lock = self._lock_lines()
        nobody_left = orphans.wait_until_gone(lock)
        if nobody_left and lock and lock[0].strip().isdigit() and processes.identify(int(lock[0])) is None:
            (self.data / "postmaster.pid").unlink(missing_ok=True)

    def start(self, timeout_s: float = 30) -> None:
        """Start and wait until connections are taken. Raises `PortTaken` or `UnableToRunPostgres`."""
        self.prepare()
        if ports.is_taken(self.port):
            raise ports.PortTaken("PostgreSQL", self.port, "OMS_PORT_POSTGRES")
        deadline = time.monotonic() + timeout_s
        with self.log.open("ab") as log:
            self._process = self._launch(log)
            while not self.ready():
                if time.monotonic() > deadline:
                    self.stop()
                    raise UnableToRunPostgres(f"PostgreSQL did not get ready in {timeout_s:.0f} s; see {self.log}")
                if self._process.poll() is not None:
                    # The server processes of a killed postmaster may hold the cluster for a moment: try again.
                    time.sleep(0.3)
                    self._process = self._launch(log)
                time.sleep(0.02)

    def stop(self, timeout_s: float = 15) -> None:
        """Fast shutdown: open transactions roll back, committed ones are kept."""
        who = self.running()
        if who:
            self._end(signal.SIGINT, who, timeout_s)

    def kill(self) -> None:
        """SIGKILL, for trials of recovery."""
        if who := self.running():
            self._end(signal.SIGKILL, who, 10)

    def destroy(self) -> None:
        """Stop and delete the cluster with all its data."""
        self.kill()
        shutil.rmtree(self.data.parent, ignore_errors=True)
        shutil.rmtree(self.home, ignore_errors=True)

    # Inside

    @property
    def data(self) -> Path:
        place = self.home / "place"
        return (
            Path(json.loads(place.read_text())["data"]) if place.exists() else self.home.resolve() / "cluster" / "data"
        )

    def _launch(self, log: IO[bytes]) -> subprocess.Popen[bytes]:
        last_wish = processes.die_with_parent(signal.SIGINT) if self._die_with_parent else None
        return subprocess.Popen(
            self.command(),
            stdin=subprocess.DEVNULL,
            stdout=log,
            stderr=log,
            start_new_session=True,
            preexec_fn=last_wish,  # noqa: PLW1509  (tests only, before any thread of ours)
            **self.launch_arguments(),
        )

    def _end(self, polite: signal.Signals, who: processes.Identity, timeout_s: float) -> None:
        processes.end(who, polite, timeout_s)
        if self._process:
            self._process.wait(10)
            self._process = None

    def _lock_lines(self) -> list[str]:
        try:
            return (self.data / "postmaster.pid").read_text().splitlines()
        except FileNotFoundError:
            return []

    def _password(self, login: str = ROLE) -> str:
        path = self.home / ("password" if login == ROLE else f"password-{login}")
        if not path.exists():
            write_private(path, secrets.token_urlsafe(24))
        return path.read_text()

    def _binaries(self) -> Binaries:
        return reachable(find_binaries()) if os.geteuid() == 0 else find_binaries()

    def _account(self) -> Account:
        if os.geteuid() != 0:
            return Account(os.geteuid(), os.getegid())
        if self.data.exists() and self.data.stat().st_uid != 0:
            return Account(self.data.stat().st_uid, self.data.stat().st_gid)
        for name in ("postgres", "nobody"):
            try:
                entry = pwd.getpwnam(name)
            except KeyError:
                continue
            return Account(entry.pw_uid, entry.pw_gid)
        raise UnableToRunPostgres(
            "PostgreSQL refuses to run as root and there is neither an account `postgres` nor `nobody`; "
            "run as an ordinary user or set OMS_DATABASE_URL"
        )

    def _create(self) -> None:
        """initdb into a draft folder, moved into place when complete: a killed first start leaves no half cluster."""
        self.home.mkdir(mode=0o711, parents=True, exist_ok=True)
        account = self._account()
        cluster = self._choose_place()
        for unfinished in cluster.glob("draft-*"):
            shutil.rmtree(unfinished) if unfinished.is_dir() else unfinished.unlink()
        draft = cluster / f"draft-{secrets.token_hex(4)}"
        draft.mkdir(mode=0o700)
        if os.geteuid() == 0:
            for path in (cluster, draft):
                os.chown(path, account.uid, account.gid)
        password_file = draft.with_suffix(".password")
        write_private(password_file, self._password())
        if os.geteuid() == 0:
            os.chown(password_file, account.uid, account.gid)
        try:
            self._run_initdb(draft, password_file)
        finally:
            password_file.unlink()
        draft.rename(self.data)

    def _choose_place(self) -> Path:
        """The folder that will hold `data`, written down when it is not under `home`."""
        cluster = self.home.resolve() / "cluster"
        if os.geteuid() == 0 and not can_pass(cluster):
            top = SYSTEM_HOME if os.access(SYSTEM_HOME.parent, os.W_OK) else Path(tempfile.gettempdir())
            cluster = top / f"cluster-{secrets.token_hex(8)}"
            write_private(self.home / "place", json.dumps({"data": str(cluster / "data")}))
        cluster.mkdir(mode=0o700, parents=True, exist_ok=True)
        return cluster

    def _run_initdb(self, data: Path, password_file: Path) -> None:
        """A cluster whose superuser is our role: the whole cluster is ours, and tests make databases in it."""
        encoding = ["-E", "UTF8", "--locale=C.UTF-8", "--no-sync"]
        login = ["-U", ROLE, "-A", "scram-sha-256", f"--pwfile={password_file}"]
        self._run([str(self._binaries().initdb), "-D", str(data), *encoding, *login])
        single = [str(self._binaries().postgres), "--single", "-D", str(data), "postgres"]
        self._run(single, text=f"CREATE DATABASE {DATABASE};\n")

    def _run(self, command: list[str], text: str = "") -> None:
        done = subprocess.run(
            command, check=False, input=text, capture_output=True, text=True, timeout=120, **self.launch_arguments()
        )
        if done.returncode != 0 or re.search(r"^.*(FATAL|ERROR):", done.stderr, re.MULTILINE):
            last = (done.stderr or done.stdout).strip().splitlines()[-3:]
            raise UnableToRunPostgres(f"{Path(command[0]).name} failed: {' '.join(last)}")


def _memory() -> Path | None:
    """Where files live in memory, if there is room. A database's thousand files are copied for every test: measured,
    0.03 s in memory and 0.8 s on a disk. None: where temporary files lie here, also for who has named a folder."""
    memory = Path("/dev/shm")  # noqa: S108  (a folder of our own is made in it)
    if tempfile.gettempdir() != "/tmp" or not os.access(memory, os.W_OK | os.X_OK):  # noqa: S108
        return None
    return memory if shutil.disk_usage(memory).free >= ROOM_IN_MEMORY else None


def _clear_of_killed(memory: Path) -> None:
    """What runs that were killed a day ago or more have left in memory."""
    for home in memory.glob(f"{PREFIX}*"):
        with suppress(FileNotFoundError):  # another one ends just now
            found = home.stat()
            old = found.st_mtime < time.time() - 86_400 and found.st_uid == os.geteuid()
            if old and not LocalPostgres(home, port=0).running():
                shutil.rmtree(home, ignore_errors=True)


@contextmanager
def temporary_postgres() -> Iterator[LocalPostgres]:
    """A throw-away server on a free port, for tests: no fsync, gone with its data at the end or with its parent."""
    memory = _memory()
    if memory:
        _clear_of_killed(memory)
    home = Path(tempfile.mkdtemp(prefix=PREFIX, dir=memory))
    home.chmod(0o711)  # as root, the server runs under another account and has to pass through
    server = LocalPostgres(home, port=ports.free_port(), durable=False, die_with_parent=True)
    try:
        server.start()
        yield server
    finally:
        server.destroy()
