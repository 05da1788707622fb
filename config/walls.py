"""Which walls a process stands without: what its settings leave open, in words. None of it keeps a process from
starting (that is `config.startup_check`); all of it is told, at each start and by `oms config check`."""

from collections.abc import Callable, Mapping
from dataclasses import dataclass
from ipaddress import ip_address
from urllib.parse import parse_qs, urlsplit

import structlog

from config.processes import Process, variables_of
from config.sources import environment, is_local_stack, origin

log = structlog.get_logger("oms.walls")
CLEAR = "clear"
_CERTIFICATE = ("TEMPORAL_TLS_CLIENT_CERT_DATA", "TEMPORAL_TLS_CLIENT_CERT_PATH")
UNTRUE = ("false", "0", "no", "off", "f", "n")


@dataclass(frozen=True)
class WallOff:
    """`name`: of the wall; `what`: what can happen without it."""

    name: str
    what: str


def _given(*names: str) -> bool:
    return any(origin(name)[0] or environment().get(name) for name in names)


def _local(host: str | None) -> bool:
    """On this machine, so that nobody stands in between."""
    if not host or host == "localhost":
        return bool(host)
    try:
        return ip_address(host).is_loopback
    except ValueError:
        return False


def _temporal_in_clear() -> bool:
    by_tls = _given("TEMPORAL_API_KEY", "TEMPORAL_TLS", *_CERTIFICATE)
    return not by_tls or environment().get("TEMPORAL_TLS", "").lower() in UNTRUE


def _database_in_clear() -> bool:
    parts = urlsplit(origin("OMS_DATABASE_URL")[0])
    mode = parse_qs(parts.query).get("sslmode", ["prefer"])[0]
    return bool(parts.hostname) and not _local(parts.hostname) and mode not in ("require", "verify-ca", "verify-full")


_WALLS: Mapping[str, tuple[str, Callable[[], bool], str]] = {
    "temporal token": (
        "TEMPORAL_ADDRESS", lambda: not _given("TEMPORAL_API_KEY"),
        "Temporal is not told which process calls: whoever reaches its port may do what this one does",
    ),
    "temporal certificate": (
        "TEMPORAL_ADDRESS", lambda: not _given(*_CERTIFICATE),
        "no certificate is shown to Temporal: a stolen token alone would be enough",
    ),
    "temporal tls": (
        "TEMPORAL_ADDRESS", _temporal_in_clear, "what is said to Temporal can be read and changed on the way",
    ),
    "seals": (
        "OMS_SEAL_KEYS", lambda: not _given("OMS_SEAL_KEYS"),
        "whoever may write to the namespace can tell an order that it is paid",
    ),
    "seals of all messages": (
        "OMS_SEAL_SINCE", lambda: _given("OMS_SEAL_SINCE"),
        "what was told before OMS_SEAL_SINCE counts without a seal; keep it as long as such histories are kept",
    ),
    "encryption": (
        "OMS_PAYLOAD_KEYS", lambda: not _given("OMS_PAYLOAD_KEYS"),
        "names, phones and addresses stand in Temporal's histories in clear",
    ),
    "encryption of what is written": (
        "OMS_PAYLOAD_OWN", lambda: origin("OMS_PAYLOAD_OWN")[0] == CLEAR,
        "this process still writes in clear",
    ),
    "proofs": (
        "OMS_PROOFS_DEMANDED", lambda: origin("OMS_PROOFS_DEMANDED")[0].lower() in UNTRUE,
        "commands without a proof are taken at their word",
    ),
    "proven starts": (
        "OMS_PROOFS_STARTS", lambda: origin("OMS_PROOFS_STARTS")[0].lower() in UNTRUE,
        "orders are taken from whoever may start a workflow",
    ),
    "database tls": ("OMS_DATABASE_URL", _database_in_clear, "what is said to the database can be read on the way"),
    "callers' networks": (
        "OMS_RELAY_ALLOW", lambda: not _given("OMS_RELAY_ALLOW"),
        "every source may call from anywhere; its signature is all that holds",
    ),
    "merchant's key": (
        "OMS_RELAY_ALLOW", lambda: _given("OMS_WECHAT_PRIVATE_KEY"),
        "the relay, which the internet reaches, holds the merchant's own key: give it OMS_WECHAT_PLATFORM_KEYS instead",
    ),
    "audit anchor": (
        "OMS_AUDIT_ANCHOR_FILE", lambda: not _given("OMS_AUDIT_ANCHOR_FILE"),
        "who owns the database can cut the audit's end, and nobody would see it",
    ),
    "copies of anchors": (
        "OMS_AUDIT_COPY_URL", lambda: _given("OMS_AUDIT_ANCHOR_FILE") and not _given("OMS_AUDIT_COPY_URL"),
        "who can cut the audit and the anchor's file together is not found out",
    ),
}  # fmt: skip
"""By name: a variable of who has this wall, whether it is off, and what can happen then."""


def walls_off(process: Process) -> tuple[WallOff, ...]:
    """As this process's settings are now."""
    reads = variables_of(process)
    return tuple(
        WallOff(name, what)
        for name, (of, off, what) in _WALLS.items()
        if of in reads and _belongs(process, of) and off()
    )


def _belongs(process: Process, variable: str) -> bool:
    """`oms` may look at the anchors without being who keeps them; its own machine says nothing of the relay's."""
    return process is not Process.OPERATOR or not variable.startswith("OMS_AUDIT_")


def tell(process: Process) -> None:
    """One line in the log of a process that starts. On a developer's machine they are off by design."""
    off = walls_off(process)
    if off:
        say = log.info if is_local_stack() else log.warning
        say("walls are off", process=process.value, walls=[f"{wall.name}: {wall.what}" for wall in off])
