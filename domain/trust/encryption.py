"""With which keys what goes through Temporal is encrypted, and what an encrypted payload looks like (decision 0038).

The layout is that of Temporal's public samples. Pure; the cipher is in wire/encrypted_payloads.py.
"""

from collections.abc import Mapping
from dataclasses import dataclass, field

KEY_BYTES = 32
NONCE_BYTES = 12
TAG_BYTES = 16

ENCRYPTED = b"binary/encrypted"
"""`encoding` in the metadata of a payload whose data is nonce, ciphertext and tag."""
KEY_ID = "encryption-key-id"
"""Name in the metadata."""
BOUND_TO = "encryption-workflow-id"
"""The same: the workflow that it was encrypted for, and can be read in. Absent: the writer's SDK could not say."""
CLEAR = "clear"
"""In the place of a key's id: this process reads what is encrypted, and writes in clear."""
HIDDEN = "Encoded failure"
"""Stands where a failure's message would; all SDKs say it so. The message itself is in a payload."""


@dataclass(frozen=True)
class PayloadKeys:
    """`keys` by id, all that are or were in use; `own`: the id of the one that this process writes with, None: it
    writes in clear."""

    keys: Mapping[str, bytes] = field(repr=False)
    own: str | None


def associated(key_id: str, workflow_id: str | None) -> bytes | None:
    """What the tag covers beside the ciphertext; nothing where the workflow is not known."""
    if workflow_id is None:
        return None
    return b":".join((ENCRYPTED, key_id.encode(), workflow_id.encode()))


def unreadable(key_id: bytes) -> str:
    """The end of a sentence about a payload that stayed as it was. `key_id`: as its writer said it."""
    named = key_id[:40].decode("ascii", errors="replace")
    shown = "".join(c for c in named if c.isalnum() or c in "._-") or "without a name"
    return f"is encrypted with payload key {shown}, which is not here, or it is not whole or is another workflow's"
