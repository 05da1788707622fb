"""Keys with which what goes through Temporal is encrypted (decision 0038)."""

import re
from typing import Self

from pydantic import model_validator
from pydantic_settings import SettingsConfigDict

from config.keys import KeyList, keys_by_id
from config.sources import SettingsGroup, UnableToConfigure, Word, load, origin
from domain.trust.encryption import CLEAR, KEY_BYTES, PayloadKeys

_ID = re.compile(r"[A-Za-z0-9._-]{1,40}")


class PayloadKeySettings(SettingsGroup):
    """`keys`: comma list of `{id}:{base64 of 32 bytes}`, all that are or were in use, the same for every process that
    reads or writes histories. `own`: the id that this process writes with, or `clear` while others cannot read yet."""

    model_config = SettingsConfigDict(env_prefix="OMS_PAYLOAD_")

    keys: KeyList
    own: Word

    @model_validator(mode="after")
    def _usable(self) -> Self:
        self.payload_keys()
        return self

    def payload_keys(self) -> PayloadKeys:
        """Raises `ValueError` for a key that is none; its text shows no key."""
        keys = keys_by_id(self.keys)
        for key_id, key in keys.items():
            if len(key) != KEY_BYTES or key_id == CLEAR or not _ID.fullmatch(key_id):
                shown = repr(key_id[:40])
                raise ValueError(f"key {shown} is not an id and {KEY_BYTES} bytes in base64")
        if self.own not in (CLEAR, *keys):
            raise ValueError(f"OWN is none of the ids in KEYS, nor `{CLEAR}`")
        return PayloadKeys(keys, None if self.own == CLEAR else self.own)


def load_payload_keys() -> PayloadKeys | None:
    """None: everything is written in clear; for trials on one machine. Raises `UnableToConfigure`."""
    if origin("OMS_PAYLOAD_KEYS")[0]:
        return load(PayloadKeySettings).payload_keys()
    if origin("OMS_ENVIRONMENT")[0] != "local":
        raise UnableToConfigure(
            "not set: OMS_PAYLOAD_KEYS and OMS_PAYLOAD_OWN; without them names, phones and addresses stand in the "
            "histories in clear (docs/security.md says how keys are made)"
        )
    return None
