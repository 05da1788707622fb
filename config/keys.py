"""Lists of keys as settings give them: `{id}:{base64}`, separated by commas."""

from base64 import b64decode
from collections.abc import Mapping, Sequence
from typing import Annotated

from pydantic import BeforeValidator, Field, SecretStr
from pydantic_settings import NoDecode

from config.sources import listed

KeyList = Annotated[tuple[SecretStr, ...], NoDecode, BeforeValidator(listed), Field(min_length=1)]


def keys_by_id(given: Sequence[SecretStr]) -> Mapping[str, bytes]:
    """Raises `ValueError` for a key that is none, or an id that is there twice; its text shows no key."""
    keys: dict[str, bytes] = {}
    for one in given:
        key_id, _, text = one.get_secret_value().partition(":")
        shown = repr(key_id[:40])
        try:
            key = b64decode(text, validate=True)
        except ValueError:
            raise ValueError(f"key {shown} is not base64") from None
        if key_id in keys:
            raise ValueError(f"there are two keys {shown}")
        keys[key_id] = key
    return keys
