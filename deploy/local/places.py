"""Where the local stack listens: one port a program, each movable by its variable."""

import json
import random
from collections.abc import Mapping
from pathlib import Path

from deploy.local import ports

PORTS = {
    "POSTGRES": 15432,
    "TEMPORAL": 7233,
    "TEMPORAL_UI": 8233,
    "RELAY": 8080,
    "WORKER_METRICS": 9464,
    "CODEC": 8085,
    "ISSUER": 8086,
    "CONSOLE": 8090,
    "WECHAT": 8701,
    "QIMEN": 8702,
    "TMS": 8703,
    "KUAIDI100": 8704,
    "ALIPAY": 8705,
    "SF": 8706,
    "WECOM": 8708,
    "DINGTALK": 8709,
    "FEISHU": 8710,
    "SMS": 8711,
    "MAIL": 8712,
    "SMTP": 8713,
}
"""Name after OMS_PORT_ and its usual port. WORKER_METRICS takes the port after it too (our own metrics)."""

BELOW_EPHEMERAL = (12_000, 30_000)
"""Free ports are chosen here: higher ones are handed out to outgoing connections between two starts."""


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
    """As kept, but for a port that another program has taken since."""
    found: dict[str, int] = json.loads(kept.read_text()) if kept.exists() else {}
    chosen = {name: port for name, port in found.items() if name in PORTS and not _pair_taken(port)}
    for name in PORTS:
        while name not in chosen:
            port = random.randrange(*BELOW_EPHEMERAL, 2)
            if port not in chosen.values() and not _pair_taken(port):
                chosen[name] = port
    if chosen != found:
        kept.parent.mkdir(parents=True, exist_ok=True)
        kept.write_text(json.dumps(chosen))
    return chosen


def _pair_taken(port: int) -> bool:
    """Even ports go out in pairs with their odd neighbours, since the worker's metrics need two."""
    return ports.is_taken(port) or ports.is_taken(port + 1)
