"""Changes of the controls: asked, made once another person has approved them, and no longer told of once decided."""

from collections.abc import Iterator
from contextlib import contextmanager

from temporalio import activity
from temporalio.exceptions import ApplicationError

from domain.access.controls import ControlChange
from domain.approvals import ApprovalRequest
from domain.clock import Clock
from domain.order import Id
from domain.strict import Strict
from store.approvals.controls import ControlStore
from store.errors import ChangeExpired, DecisionRefused, StoreError

REFUSED = "ChangeRefused"
EXPIRED = "ChangeExpired"


class AskChange(Strict):
    """`by`: who asks, proven. `n`: which question about this subject it is, as the workflow's id says."""

    change: ControlChange
    n: int
    by: Id
    workflow_id: str


class ControlAsked(Strict):
    """`request` None: there was nothing to ask, it is done."""

    request: ApprovalRequest | None


class DoneBefore(Strict):
    done: bool


class OfApproval(Strict):
    approval_id: str


class ChangeMade(Strict):
    """What was done, in words."""

    done: str


class ControlActivities:
    def __init__(self, controls: ControlStore, now: Clock) -> None:
        self._controls = controls
        self._now = now

    @activity.defn(name="controls.ask")
    async def ask(self, message: AskChange) -> ControlAsked:
        """Raises, finally, `ChangeRefused` for what cannot be changed so; nothing was."""
        m = message
        with _refusals():
            return ControlAsked(request=await self._controls.ask(m.change, m.n, m.by, m.workflow_id, self._now()))

    @activity.defn(name="controls.done_before")
    async def done_before(self, message: AskChange) -> DoneBefore:
        """Of what is done at once: whether this very command was done. Raises, finally, `ChangeRefused`."""
        with _refusals():
            return DoneBefore(done=await self._controls.done_before(message.change, message.n, message.by))

    @activity.defn(name="controls.expire")
    async def expire(self, message: OfApproval) -> None:
        """Tells that it has to be asked again."""
        await self._controls.expire(message.approval_id, self._now())

    @activity.defn(name="controls.make")
    async def make(self, message: OfApproval) -> ChangeMade:
        """Raises, finally, `ChangeRefused` or an error whose type is a `RefusalCode`: approved, and not to be done any
        more. Nothing was changed; the audit says so."""
        with _refusals():
            return ChangeMade(done=await self._controls.make(message.approval_id, self._now()))

    @activity.defn(name="controls.over")
    async def over(self, message: OfApproval) -> None:
        """Closes the ticket that has told the approvers."""
        await self._controls.over(message.approval_id, self._now())


@contextmanager
def _refusals() -> Iterator[None]:
    try:
        yield
    except DecisionRefused as error:
        raise ApplicationError(error.why, type=error.code.value, non_retryable=True) from error
    except ChangeExpired as error:
        raise ApplicationError(str(error), type=EXPIRED, non_retryable=True) from error
    except StoreError as error:
        raise ApplicationError(str(error), type=REFUSED, non_retryable=True) from error
