"""Who wrote a message that came through Temporal: a seal over it with a key that only our own processes have.

Whoever may write to the namespace can send any signal, schedule any activity and answer one. A seal says which of our
processes wrote the bytes, for which workflow and as what; it hides nothing (decision 0037). Pure; keys are handed in.
"""

import hashlib
import hmac
from collections.abc import Callable, Mapping
from dataclasses import dataclass, field
from datetime import datetime
from typing import Any

RELAY = "relay"
WORKER = "worker"
SHORTEST_KEY = 32
"""Bytes."""

SEAL = "oms-seal"
"""Name in a payload's metadata: `{key id}:{purpose}:{hex}`."""
SEALED_BY = "oms-sealed-by"
"""Set by the reader alone, never taken from outside: whose key it was; empty for nobody's. Absent where no seals are
demanded."""
SEALED_FOR = "oms-sealed-for"
"""The same, for the purpose."""
SEALED_SINCE = "oms-sealed-since"
"""The same: before this moment (ISO 8601) what has no seal counts, too."""
UNSEALED_ERROR = "oms_unsealed"
"""Attribute of an activity's error that no worker has told: an `Unsealed`."""
SEALED_CALL = "oms-seal-call"
"""Name in the metadata of what an activity is asked or answers: a seal over the seal, for one call of it."""
OTHER_CALL = "oms-other-call"
"""Set by the reader alone: a worker has sealed it, and not as the answer to this call."""
WORKFLOW = "workflow"
"""Purpose of what is told to a workflow, or by it; of what an activity is asked `activity.{its type}`, of what it
answers `answer.{its type}`."""


def role_of(key_id: str) -> str:
    """`relay.2026a` is a key of the relay's."""
    return key_id.partition(".")[0]


def activity_purpose(activity_type: str) -> str:
    return f"activity.{activity_type}"


def answer_purpose(activity_type: str) -> str:
    return f"answer.{activity_type}"


def call_purpose(call: str) -> str:
    """Purpose of the seal over a seal; no message has such a one."""
    return f"call.{call}"


@dataclass(frozen=True)
class SealedAs:
    """`by`: the role whose key it was, empty for nobody."""

    by: str = ""
    purpose: str = ""


@dataclass(frozen=True)
class Unsealed:
    """Stands where an activity's message would, when no worker of ours has sealed it. `since`: as of the ring.
    `value`: reads it after all; raises what reading it raises."""

    activity: str
    since: datetime | None
    value: Callable[[], Any]


@dataclass(frozen=True)
class KeyRing:
    """`keys` by id, all that are or were in use; `own`: the id of the key that this process seals with. `since`: a
    rolling change ended then; None: nothing without a seal has ever counted. `calls_since`: the same for answers
    that do not say to which call."""

    keys: Mapping[str, bytes] = field(repr=False)
    own: str
    since: datetime | None = None
    calls_since: datetime | None = None

    def seal(self, workflow_id: str, purpose: str, encoding: bytes, data: bytes) -> str:
        mac = self._mac(self.own, workflow_id, purpose, encoding, data)
        return f"{self.own}:{purpose}:{mac}"

    def read(self, seal: str, workflow_id: str, encoding: bytes, data: bytes) -> SealedAs:
        """Who sealed it. A seal that is none, of another workflow or over other bytes is nobody's."""
        key_id, _, rest = seal.partition(":")
        purpose, _, mac = rest.rpartition(":")
        if key_id not in self.keys:
            return SealedAs()
        right = self._mac(key_id, workflow_id, purpose, encoding, data)
        # As bytes: of text, only ASCII can be compared.
        return SealedAs(role_of(key_id), purpose) if hmac.compare_digest(right.encode(), mac.encode()) else SealedAs()

    def _mac(self, key_id: str, workflow_id: str, purpose: str, encoding: bytes, data: bytes) -> str:
        parts = (key_id.encode(), workflow_id.encode(), purpose.encode(), encoding, data)
        # Lengths first: no two messages have the same bytes here.
        head = b"".join(len(part).to_bytes(4, "big") for part in parts)
        return hmac.digest(self.keys[key_id], head + b"".join(parts), hashlib.sha256).hex()
