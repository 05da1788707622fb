"""What runs, written down in `run/stack.json`, so that a later command or a later start finds every process again."""

import json
from dataclasses import asdict, dataclass, field
from pathlib import Path
from typing import Any

from deploy.local.private_files import write_private
from deploy.local.processes import Identity, is_running


@dataclass
class ServiceRecord:
    """`state`: waiting, starting, ready, down or done. `polite`: the signal that ends it cleanly."""

    name: str
    state: str = "waiting"
    pid: int = 0
    born: str = ""
    polite: str = "SIGTERM"
    restarts: int = 0
    took_s: float = 0.0
    address: str = ""
    once: bool = False

    @property
    def identity(self) -> Identity | None:
        return Identity(self.pid, self.born) if self.pid else None


@dataclass
class StackRecord:
    """`state`: starting, ready, stopping, down or failed (then `error` says why in one line)."""

    supervisor: Identity | None = None
    state: str = "down"
    error: str = ""
    services: dict[str, ServiceRecord] = field(default_factory=dict)

    def supervised(self) -> bool:
        return self.supervisor is not None and is_running(self.supervisor)

    def leftovers(self) -> list[tuple[ServiceRecord, Identity]]:
        """Processes of ours that still run, last started first."""
        found = [(service, service.identity) for service in reversed(self.services.values())]
        return [(service, who) for service, who in found if who and is_running(who)]


def read_record(path: Path) -> StackRecord:
    """The record, or an empty one when there is none or it cannot be read (then nothing of it can be trusted)."""
    try:
        kept: dict[str, Any] = json.loads(path.read_text())
        return StackRecord(
            supervisor=Identity(**kept["supervisor"]) if kept["supervisor"] else None,
            state=kept["state"],
            error=kept["error"],
            services={name: ServiceRecord(**service) for name, service in kept["services"].items()},
        )
    except (FileNotFoundError, ValueError, KeyError, TypeError):
        return StackRecord()


def write_record(path: Path, record: StackRecord) -> None:
    write_private(path, json.dumps(asdict(record), indent=1))
