"""Where the local stack listens: one port a program, each movable by its variable."""

import json
from collections.abc import Mapping
from pathlib import Path

from deploy.local import ports

PORTS = {
    "POSTGRES": 15432,
    "TEMPORAL": 7233,
    "TEMPORAL_UI": 8233,
    "RELAY": 8080,
    "WORKER_METRICS": 9464,
    "WECHAT": 8701,
    "QIMEN": 8702,
    "TMS": 8703,
    "KUAIDI100": 8704,
}
"""Name after OMS_PORT_ and its usual port. WORKER_METRICS takes the port after it too (our own metrics)."""


class WrongPort(ValueError):
    """An OMS_PORT_* variable does not hold a port."""


def choose_ports(env: Mapping[str, str], kept: Path) -> dict[str, int]:
    """Ports by name from OMS_PORT_<NAME>. With OMS_PORTS=free the others are free ones, kept in `kept`.

    They are kept because addresses stand in payments and subscriptions that outlive a restart.
    """
    usual = _free_ports(kept) if env.get("OMS_PORTS") == "free" else PORTS
    return {name: _port(env, name) or usual[name] for name in PORTS}


def _port(env: Mapping[str, str], name: str) -> int | None:
    text = env.get(f"OMS_PORT_{name}", "")
    if not text:
        return None
    if not text.isdecimal() or not 1 <= int(text) <= 65535:
        raise WrongPort(f"OMS_PORT_{name} must be a port number from 1 to 65535")
    return int(text)


def _free_ports(kept: Path) -> dict[str, int]:
    if kept.exists():
        found: dict[str, int] = json.loads(kept.read_text())
        if set(found) == set(PORTS):
            return found
    chosen: dict[str, int] = {}
    while len(chosen) < len(PORTS):
        port = ports.free_port()
        # The pair for the worker's metrics, and no port twice.
        if not {port, port + 1} & {p + extra for p in chosen.values() for extra in (0, 1)}:
            chosen[list(PORTS)[len(chosen)]] = port
    kept.parent.mkdir(parents=True, exist_ok=True)
    kept.write_text(json.dumps(chosen))
    return chosen
