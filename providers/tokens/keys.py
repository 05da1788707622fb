"""Public keys by key id (RFC 7517), and where they come from: settings, a file, or an https address.

A token names a key id; it is looked up in a table and used for nothing else, so no id can reach a file or an address.
"""

import asyncio
from collections.abc import Mapping
from dataclasses import dataclass
from datetime import datetime, timedelta
from pathlib import Path
from typing import Any, Protocol

import httpx
import jwt

from domain.clock import Clock
from domain.strict import UnableToRead, load
from providers.errors import ProviderError
from providers.http import send
from providers.tokens.errors import SYSTEM, KeysUnavailable, UnusableKeys

MAX_KEYS = 100
MAX_AGE = timedelta(minutes=10)
"""A key taken off the provider's list stops being believed after this."""
ASK_AGAIN = timedelta(seconds=30)
"""An unknown key id has the list fetched again, at most so often: made-up ids must not become a load on anybody."""

ALGORITHMS: Mapping[tuple[str, str], str] = {
    ("OKP", "Ed25519"): "EdDSA",
    ("EC", "P-256"): "ES256",
    ("EC", "P-384"): "ES384",
    ("RSA", ""): "RS256",
}
RSA_ALGORITHMS = frozenset({"RS256", "RS384", "RS512", "PS256", "PS384", "PS512"})


@dataclass(frozen=True)
class PublicKey:
    """The one algorithm that this key verifies with is the key's, never the token's."""

    algorithm: str
    key: Any


Keys = Mapping[str, PublicKey]


class KeySource(Protocol):
    async def find(self, key_id: str) -> PublicKey | None: ...

    def at_hand(self, key_id: str) -> PublicKey | None:
        """Without asking anybody."""

    def is_current(self) -> bool:
        """What is not at hand would not be found either."""


def read_key_set(text: str | bytes) -> Keys:
    """A JWK set as keys by id; only public signature keys with an id. Raises `UnusableKeys`."""
    try:
        document = load(text, max_bytes=200_000)
    except UnableToRead as error:
        raise UnusableKeys(f"the key set is not readable: {error}") from None
    listed = document.get("keys") if isinstance(document, dict) else None
    if not isinstance(listed, list) or len(listed) > MAX_KEYS:
        raise UnusableKeys(f'a key set is {{"keys": […]}} with at most {MAX_KEYS} keys')
    keys: dict[str, PublicKey] = {}
    for item in listed:
        found = _public_key(item) if isinstance(item, dict) else None
        if found is None:
            continue
        if item["kid"] in keys:
            raise UnusableKeys("two keys of the set have the same id")
        keys[item["kid"]] = found
    if not keys:
        raise UnusableKeys("the key set holds no public signature key with a key id")
    return keys


def _public_key(item: Mapping[str, Any]) -> PublicKey | None:
    """None: no key for us (shared secrets above all: whoever verifies with one could sign with it)."""
    kind, curve = item.get("kty"), item.get("crv", "") if item.get("kty") != "RSA" else ""
    algorithm = ALGORITHMS.get((str(kind), str(curve)))
    if algorithm is None or item.get("use", "sig") != "sig" or not isinstance(item.get("kid"), str):
        return None
    if kind == "RSA" and item.get("alg", algorithm) in RSA_ALGORITHMS:
        algorithm = str(item.get("alg", algorithm))
    try:
        public = {name: value for name, value in item.items() if name not in ("d", "p", "q", "dp", "dq", "qi")}
        return PublicKey(algorithm, jwt.PyJWK({**public, "alg": algorithm}).key)
    except (jwt.PyJWTError, ValueError, TypeError):
        raise UnusableKeys("a key of the set is damaged") from None


class GivenKeys:
    """Keys that do not change while the process runs."""

    def __init__(self, keys: Keys) -> None:
        self._keys = keys

    async def find(self, key_id: str) -> PublicKey | None:
        return self._keys.get(key_id)

    def at_hand(self, key_id: str) -> PublicKey | None:
        return self._keys.get(key_id)

    def is_current(self) -> bool:
        return True


class FileKeys:
    """A key set in a file; read again when the file has changed, so that a key can be replaced without a restart."""

    def __init__(self, path: Path) -> None:
        self._path = path
        self._read_at = 0.0
        self._keys: Keys = {}

    async def find(self, key_id: str) -> PublicKey | None:
        try:
            changed_at = self._path.stat().st_mtime
            if changed_at != self._read_at:
                self._keys, self._read_at = read_key_set(self._path.read_bytes()), changed_at
        except (OSError, UnusableKeys) as error:
            raise KeysUnavailable("KeySetFile", f"{self._path.name}: {error}") from None
        return self._keys.get(key_id)

    def at_hand(self, key_id: str) -> PublicKey | None:
        return self._keys.get(key_id)

    def is_current(self) -> bool:
        try:
            return self._path.stat().st_mtime == self._read_at
        except OSError:
            return False


class FetchedKeys:
    """An identity provider's published key set, kept for ten minutes."""

    def __init__(self, http: httpx.AsyncClient, address: str, now: Clock) -> None:
        if not address.startswith("https://"):
            raise UnusableKeys("a key set is fetched over https only")
        self._http, self._address, self._now = http, address, now
        self._keys: Keys = {}
        self._fetched_at: datetime | None = None
        self._one_at_a_time = asyncio.Lock()

    async def find(self, key_id: str) -> PublicKey | None:
        async with self._one_at_a_time:
            if self._older_than(MAX_AGE) or (key_id not in self._keys and self._older_than(ASK_AGAIN)):
                await self._fetch()
        return self._keys.get(key_id)

    def at_hand(self, key_id: str) -> PublicKey | None:
        return self._keys.get(key_id)

    def is_current(self) -> bool:
        return not self._older_than(ASK_AGAIN)

    def _older_than(self, age: timedelta) -> bool:
        return self._fetched_at is None or self._now() - self._fetched_at >= age

    async def _fetch(self) -> None:
        try:
            reply = await send(self._http, SYSTEM, "GET", self._address, headers={"accept": "application/json"})
        except ProviderError as error:
            raise KeysUnavailable(error.code, "the key set cannot be fetched") from error
        if reply.status != 200:
            raise KeysUnavailable(f"HTTP {reply.status}", "the key set cannot be fetched")
        try:
            self._keys, self._fetched_at = read_key_set(reply.body), self._now()
        except UnusableKeys as error:
            raise KeysUnavailable("KeySet", str(error)) from None
