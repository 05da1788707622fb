"""Who is calling: the peer's address, through configured proxies only, and the sources' allow-lists (R14)."""

from collections.abc import Iterable, Mapping
from ipaddress import IPv4Address, IPv4Network, IPv6Address, IPv6Network, ip_address

Network = IPv4Network | IPv6Network
Address = IPv4Address | IPv6Address


class Addresses:
    """`allow`: networks by source; a source without an entry may call from anywhere. `proxies`: whose word on the
    caller's address is taken; everybody else's `X-Forwarded-For` is ignored. `hops`: how many of them stand between
    the world and us, the peer included; what lies further out is no proxy of ours, whatever its address. None: as many
    as the header names."""

    def __init__(
        self,
        allow: Mapping[str, Iterable[Network]] | None = None,
        proxies: Iterable[Network] = (),
        hops: int | None = None,
    ) -> None:
        self._allow = {source: tuple(networks) for source, networks in (allow or {}).items()}
        self._proxies = tuple(proxies)
        self._hops = hops

    def caller(self, peer: str, forwarded_for: str) -> str:
        """The nearest address that is not one of our proxies; the peer itself if the header makes no sense."""
        if not self._proxies or not self._is_proxy(peer):
            return peer
        for passed, hop in enumerate(reversed([part.strip() for part in forwarded_for.split(",")]), 1):
            if not self._is_proxy(hop) or passed == self._hops:
                return hop if _read(hop) is not None else peer
        return peer

    def allowed(self, source: str, caller: str) -> bool:
        networks = self._allow.get(source)
        return not networks or _inside(caller, networks)

    def of(self, source: str) -> tuple[str, ...]:
        """Its networks as texts; none: from anywhere."""
        return tuple(map(str, self._allow.get(source, ())))

    def _is_proxy(self, text: str) -> bool:
        return _inside(text, self._proxies)


def _read(text: str) -> Address | None:
    try:
        found = ip_address(text)
    except ValueError:
        return None
    # A dual-stack listener shows IPv4 callers as ::ffff:a.b.c.d.
    mapped = found.ipv4_mapped if isinstance(found, IPv6Address) else None
    return mapped or found


def _inside(text: str, networks: Iterable[Network]) -> bool:
    address = _read(text)
    return address is not None and any(address in network for network in networks if network.version == address.version)
