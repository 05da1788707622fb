"""Where an event may be sent: an address that a person typed in must not lead into our own network (SSRF).

Two looks: `read_target` at the text, once; `admit` at every address that its host name stands for, at each attempt.
"""

import re
from dataclasses import dataclass
from ipaddress import IPv4Address, IPv4Network, IPv6Address, IPv6Network, ip_address, ip_network
from urllib.parse import urlsplit

Address = IPv4Address | IPv6Address
Network = IPv4Network | IPv6Network

LONGEST = 500
PLAIN_PORT, TLS_PORT = 80, 443

_VISIBLE = re.compile(r"[\x21-\x7e]+")
_NAME = re.compile(r"(?=.{1,253}$)([a-z0-9]([a-z0-9-]{0,61}[a-z0-9])?\.)*[a-z0-9]([a-z0-9-]{0,61}[a-z0-9])?")
# The system's resolver reads `127.1`, `2130706433`, `0x7f000001` and `0177.0.0.1` as addresses.
_NUMBER = re.compile(r"[0-9]+|0x[0-9a-f]*")

_PRIVATE = tuple(ip_network(n) for n in ("10.0.0.0/8", "172.16.0.0/12", "192.168.0.0/16", "100.64.0.0/10", "fc00::/7"))
_LOOPBACK = (ip_network("127.0.0.0/8"), ip_network("::1/128"))
_GLOBAL_V6 = IPv6Network("2000::/3")
# Python calls all of these global. Each carries or relays another address, or is taken out of service.
_NEVER = tuple(ip_network(n) for n in ("192.88.99.0/24", "192.0.0.0/24", "2002::/16", "2001::/23", "3fff::/20"))


class TargetRefused(ValueError):
    """The text says why; it repeats the host, never path or query: they may hold a token."""


@dataclass(frozen=True)
class Reach:
    """What the operator of this installation allows beyond https to public addresses on port 443.

    `networks`: own private networks, where finance or a warehouse may live. `loopback`: this machine, any port, http
    too; for a local stack and tests only.
    """

    ports: frozenset[int] = frozenset({TLS_PORT})
    networks: tuple[Network, ...] = ()
    loopback: bool = False


@dataclass(frozen=True)
class WebhookTarget:
    """A readable address. `path` holds the query too. `host` is lower case, without brackets."""

    tls: bool
    host: str
    port: int
    path: str

    @property
    def authority(self) -> str:
        """The value of the Host header."""
        host = f"[{self.host}]" if ":" in self.host else self.host
        return host if self.port == (TLS_PORT if self.tls else PLAIN_PORT) else f"{host}:{self.port}"


def read_target(url: str, reach: Reach) -> WebhookTarget:
    """Raises `TargetRefused` for anything that two programs could read differently, and for what `reach` forbids."""
    if len(url) > LONGEST or not _VISIBLE.fullmatch(url) or "\\" in url:
        raise TargetRefused(f"an address has 1 to {LONGEST} visible ASCII characters and no backslash")
    try:
        parts = urlsplit(url)
        port = parts.port
    except ValueError:
        raise TargetRefused("the address cannot be read") from None
    if parts.scheme != "https" and not (parts.scheme == "http" and reach.loopback):
        raise TargetRefused("only https:// addresses are taken")
    if "@" in parts.netloc or "#" in url:
        raise TargetRefused("an address holds neither a user name, a password nor a fragment")
    tls = parts.scheme == "https"
    port = (TLS_PORT if tls else PLAIN_PORT) if port is None else port
    if port not in reach.ports and not (reach.loopback and port > 0):
        raise TargetRefused(f"port {port} is not allowed; OMS_OUTBOUND_PORTS lists those that are")
    path = (parts.path or "/") + (f"?{parts.query}" if parts.query else "")
    return WebhookTarget(tls, _host(parts.hostname or "", bracketed="[" in parts.netloc), port, path)


def read_new_target(url: str, reach: Reach) -> WebhookTarget:
    """`read_target` for one that somebody adds: an address that events may not be sent to is refused now, not at the
    first event. What a host name stands for is looked up at each attempt."""
    target = read_target(url, reach)
    address = "127.0.0.1" if target.host == "localhost" else target.host
    if _ip(address) is not None:
        admit(target, address, reach)
    return target


def admit(target: WebhookTarget, address: str, reach: Reach) -> Address:
    """`address`: one that the host stands for. Raises `TargetRefused` unless events may be sent there."""
    ip = _ip(address)
    if ip is None:
        raise TargetRefused(f"{target.host} stands for something that is no address")
    if reach.loopback and any(ip.version == own.version and ip in own for own in _LOOPBACK):
        return ip
    own = any(ip.version == network.version and ip in network for network in reach.networks)
    if not (own or _public(ip)):
        raise TargetRefused(f"{target.host} stands for {ip}, which is not a public address")
    if not target.tls or target.port not in reach.ports:
        raise TargetRefused(f"{target.host} stands for {ip}; plain http and other ports are for this machine only")
    return ip


def private_network(text: str) -> Network:
    """A network that an operator may open. Raises `ValueError`: loopback, link-local and the like stay closed."""
    network = ip_network(text)
    for whole in _PRIVATE:
        if isinstance(network, IPv4Network) and isinstance(whole, IPv4Network) and network.subnet_of(whole):
            return network
        if isinstance(network, IPv6Network) and isinstance(whole, IPv6Network) and network.subnet_of(whole):
            return network
    raise ValueError(f"{network} is not a private network")


def _host(name: str, *, bracketed: bool) -> str:
    ip = _ip(name)
    if ip is not None and bracketed == (ip.version == 6):
        return name
    if bracketed or not _NAME.fullmatch(name) or _NUMBER.fullmatch(name.rpartition(".")[2]):
        raise TargetRefused("the host is neither a plain host name nor an address in its usual form")
    return name


def _ip(text: str) -> Address | None:
    try:
        # A scope (`fe80::1%eth0`) names an interface of ours.
        return None if "%" in text else ip_address(text)
    except ValueError:
        return None


def _public(ip: Address) -> bool:
    if not ip.is_global or ip.is_multicast or ip.is_reserved or any(ip in never for never in _NEVER):
        return False
    return isinstance(ip, IPv4Address) or ip in _GLOBAL_V6
