"""Keys with which our processes seal what they tell each other through Temporal (decision 0037)."""

from base64 import b64decode
from typing import Annotated, Any, Self

from pydantic import AwareDatetime, Field, SecretStr, field_validator, model_validator
from pydantic_settings import NoDecode, SettingsConfigDict

from config.sources import SettingsGroup, UnableToConfigure, Word, listed, load, origin
from domain.trust.seals import RELAY, SHORTEST_KEY, WORKER, KeyRing, role_of


class SealSettings(SettingsGroup):
    """`keys`: comma list of `{id}:{base64 of 32 bytes}`; an id begins with its role (`relay.`, `worker.`). The relay
    has its own alone, the worker all that are or were in use. `own`: the id that this process seals with. `since`: for
    an installation that ran without seals: when all its relays and workers had begun to seal; the same for all
    workers, and never changed."""

    model_config = SettingsConfigDict(env_prefix="OMS_SEAL_")

    keys: Annotated[tuple[SecretStr, ...], NoDecode, Field(min_length=1)]
    own: Word
    since: AwareDatetime | None = None

    @field_validator("keys", mode="before")
    @classmethod
    def _listed(cls, value: Any) -> Any:
        return listed(value)

    @model_validator(mode="after")
    def _usable(self) -> Self:
        if self.own not in self.ring().keys:
            raise ValueError("OWN is none of the ids in KEYS")
        return self

    def ring(self) -> KeyRing:
        """Raises `ValueError` for a key that is none; its text shows no key."""
        return KeyRing(dict(_key(given.get_secret_value()) for given in self.keys), self.own, self.since)


def load_seals() -> KeyRing | None:
    """None: what comes through Temporal is believed; for trials on one machine. Raises `UnableToConfigure`."""
    if origin("OMS_SEAL_KEYS")[0]:
        return load(SealSettings).ring()
    if origin("OMS_ENVIRONMENT")[0] != "local":
        raise UnableToConfigure(
            "not set: OMS_SEAL_KEYS and OMS_SEAL_OWN; without them whoever may write to the namespace can tell an "
            "order that it is paid (docs/security.md says how keys are made)"
        )
    return None


def _key(given: str) -> tuple[str, bytes]:
    key_id, _, text = given.partition(":")
    shown = repr(key_id[:40])
    try:
        key = b64decode(text, validate=True)
    except ValueError:
        raise ValueError(f"key {shown} is not base64") from None
    if len(key) < SHORTEST_KEY or role_of(key_id) not in (RELAY, WORKER):
        raise ValueError(f"key {shown} is not `relay.…` or `worker.…` with {SHORTEST_KEY} bytes in base64")
    return key_id, key
