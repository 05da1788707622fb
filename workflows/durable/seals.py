"""Who is believed: a signal that moves goods or money must be sealed by the process that such signals come from, and an
answer of an activity by a worker (domain/trust/seals.py, decision 0037).

Where the worker has no keys nothing is demanded, and what was told before `since` counts as it did: stored histories
replay.
"""

from collections.abc import Awaitable, Callable, Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime
from typing import TypeVar

from temporalio import workflow
from temporalio.common import RawValue
from temporalio.exceptions import ActivityError, ApplicationError

from domain.trust.seals import SEALED_BY, SEALED_FOR, SEALED_SINCE, UNSEALED_ERROR, WORKFLOW, Unsealed

Answer = TypeVar("Answer")
NOBODY = "unverified"
"""Actor in the audit of what nobody has proven to have said."""


@dataclass(frozen=True)
class Foreign:
    """A signal that none of our processes has sent."""

    name: str


@dataclass(frozen=True)
class Seals:
    """What one workflow demands of its signals."""

    demanded: bool = False
    since: datetime | None = None

    @classmethod
    def of(cls, start: RawValue) -> "Seals":
        """As the worker's reader says it of the start message."""
        metadata: Mapping[str, bytes] = start.payload.metadata
        return cls(SEALED_BY in metadata, _moment(metadata.get(SEALED_SINCE, b"")))

    def hold(self, arguments: Sequence[RawValue], role: str) -> bool:
        """A signal without an argument has no seal either."""
        if not self.demanded or _before(self.since):
            return True
        return bool(arguments) and all(_is_by(raw.payload.metadata, role) for raw in arguments)


def signal_holds(arguments: Sequence[RawValue], role: str) -> bool:
    """The same, for a workflow that does not keep its start message; one without an argument says nothing here."""
    return all(Seals.of(raw).hold([raw], role) for raw in arguments)


def believed(answer: Answer) -> Answer:
    """Raises `ActivityError`, of which nobody knows whether the step was done, for an answer that no worker gave."""
    if not isinstance(answer, Unsealed):
        return answer
    if _before(answer.since):
        read: Answer = answer.value()
        return read
    raise nobodys(answer.activity)


def forged(error: BaseException | None) -> bool:
    """An activity's failure that no worker told says nothing of what was done."""
    found = getattr(error, UNSEALED_ERROR, None)
    return isinstance(found, Unsealed) and not _before(found.since)


async def answered(ask: Callable[[], Awaitable[Answer]]) -> Answer:
    """For a loop, which nobody may stop: what no worker answered is asked again."""
    while True:
        answer = await ask()
        if not isinstance(answer, Unsealed) or _before(answer.since):
            return believed(answer)


def _is_by(metadata: Mapping[str, bytes], role: str) -> bool:
    return metadata.get(SEALED_BY) == role.encode() and metadata.get(SEALED_FOR) == WORKFLOW.encode()


def _moment(said: bytes) -> datetime | None:
    """A worker without keys has no reader of its own: there whoever wrote the message may have said anything."""
    try:
        moment = datetime.fromisoformat(said.decode("ascii"))
    except ValueError:
        return None
    return moment if moment.tzinfo is not None else None


def _before(since: datetime | None) -> bool:
    return since is not None and workflow.now() < since


def nobodys(activity: str) -> ActivityError:
    """For an answer that says nothing of what was asked, such as one of an earlier call that is told once more."""
    error = ActivityError(
        f"{activity} was answered, and not by a worker of ours", scheduled_event_id=0, started_event_id=0, identity="",
        activity_type=activity, activity_id="", retry_state=None,
    )  # fmt: skip
    error.__cause__ = ApplicationError("answered by somebody else: whether it was done is not known", type="Unsealed")
    return error
