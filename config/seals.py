"""Keys with which our processes seal what they tell each other through Temporal (decision 0037)."""

from typing import Self

from pydantic import AwareDatetime, model_validator
from pydantic_settings import SettingsConfigDict

from config.keys import KeyList, keys_by_id
from config.sources import SettingsGroup, UnableToConfigure, Word, load, origin
from domain.trust.seals import RELAY, SHORTEST_KEY, WORKER, KeyRing, role_of


class SealSettings(SettingsGroup):
    """`keys`: comma list of `{id}:{base64 of 32 bytes}`; an id begins with its role (`relay.`, `worker.`). The relay
    has its own alone, the worker all that are or were in use. `own`: the id that this process seals with. `since`: for
    an installation that ran without seals: when all its relays and workers had begun to seal; the same for all
    workers, and never changed. `calls_since`: the same for an installation whose seals did not say for which call an
    activity was answered."""

    model_config = SettingsConfigDict(env_prefix="OMS_SEAL_")

    keys: KeyList
    own: Word
    since: AwareDatetime | None = None
    calls_since: AwareDatetime | None = None

    @model_validator(mode="after")
    def _usable(self) -> Self:
        if self.own not in self.ring().keys:
            raise ValueError("OWN is none of the ids in KEYS")
        return self

    def ring(self) -> KeyRing:
        """Raises `ValueError` for a key that is none; its text shows no key."""
        keys = keys_by_id(self.keys)
        for key_id, key in keys.items():
            if len(key) < SHORTEST_KEY or role_of(key_id) not in (RELAY, WORKER):
                shown = repr(key_id[:40])
                raise ValueError(f"key {shown} is not `relay.…` or `worker.…` with {SHORTEST_KEY} bytes in base64")
        return KeyRing(keys, self.own, self.since, self.calls_since)


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
