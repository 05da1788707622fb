"""People's decisions: the token is verified, the rules are asked, the decision is written down, in this order.

Whoever may write to a workflow may still not approve: what counts is the token, and the books.
"""

from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from uuid import uuid4

from temporalio import activity
from temporalio.exceptions import ApplicationError

from domain.approvals import ApprovalRequest, Decided, Decision, RefusalCode
from domain.clock import Clock
from domain.strict import Strict
from providers.tokens.errors import KeysUnavailable, TokenExpired, TokenRefused
from providers.tokens.verify import TokenVerifier
from store.approvals.approvals import ApprovalStore
from store.errors import ApprovalChanged, DecisionRefused

KEYS_UNAVAILABLE = "TOKEN_KEYS_UNAVAILABLE"
"""Type of the one failure that is an outage and no refusal: nothing was decided, and the same may be sent again."""
DECIDE_IN_PLACE = "DecideInPlace"
"""The workflow that decides what no workflow waits for."""
UNVERIFIED = "unverified"
"""Actor of a refusal when no token has proven who it was."""


class OpenApproval(Strict):
    """`workflow_id` None: nobody waits for the answer."""

    request: ApprovalRequest
    workflow_id: str | None = None


class Decide(Strict):
    decision: Decision
    request: ApprovalRequest | None = None
    """As the workflow has asked; the books must say the same."""


class Withdraw(Strict):
    approval_id: str
    by: str
    why: str


class Execution(Strict):
    """What is about to be done on the strength of an approval. `used_for`: its number; it spends the approval."""

    approval_id: str
    content_hash: str
    used_for: str | None = None


class NotTaken(Strict):
    """A decision that came as a signal and was not taken, where nobody could be answered."""

    approval_id: str = ""
    code: str
    why: str


class PeopleActivities:
    def __init__(self, approvals: ApprovalStore, verifier: TokenVerifier, now: Clock) -> None:
        self._approvals = approvals
        self._verifier = verifier
        self._now = now

    @activity.defn(name="people.open")
    async def open(self, message: OpenApproval) -> None:
        """Asks; from now on `oms approve list` shows it."""
        async with _refusals():
            await self._approvals.open(message.request, message.workflow_id, self._now())

    @activity.defn(name="people.decide")
    async def decide(self, message: Decide) -> Decided:
        """The decision as it is in the books now. Raises, finally, an error whose type is a `RefusalCode`, with its
        audit row written; its details are the decision that stands and who was proven to have tried, where there are
        such. Or TOKEN_KEYS_UNAVAILABLE, which may pass."""
        decision = message.decision
        async with _refusals():
            try:
                identity = await self._verifier.verify(decision.token)
            except TokenRefused as error:
                # The attempt before this one may have decided in time, and died before it said so.
                if isinstance(error, TokenExpired) and (before := await self._decided_before(decision)) is not None:
                    return before
                code = RefusalCode.TOKEN_EXPIRED if isinstance(error, TokenExpired) else RefusalCode.TOKEN_INVALID
                refused = DecisionRefused(code, f"approval {decision.approval_id}: {error}")
                await self._approvals.note_refusal(decision.approval_id, refused, UNVERIFIED, self._now())
                raise refused from None
            if message.request is not None and message.request.content_hash != decision.content_hash:
                why = f"{decision.approval_id} is about other content by now; look again with `oms approve show`"
                refused = DecisionRefused(RefusalCode.HASH_MISMATCH, why)
                refused.by = identity.person_id
                await self._approvals.note_refusal(decision.approval_id, refused, identity.person_id, self._now())
                raise refused
            workflow_id, request_id = _caller()
            try:
                return await self._approvals.decide(decision, identity, request_id, self._now(), workflow_id)
            except DecisionRefused as refused:
                refused.by = identity.person_id
                raise

    async def _decided_before(self, decision: Decision) -> Decided | None:
        try:
            identity = await self._verifier.verify(decision.token, may_be_over=True)
        except TokenRefused:  # that it is over is told first, whatever else is wrong with it
            return None
        return await self._approvals.decided_by(decision, identity, _caller()[1])

    @activity.defn(name="people.signed")
    async def signed(self, token: str) -> bool:
        """Whether a token is worth a look: somebody of ours has signed it. Raises TOKEN_KEYS_UNAVAILABLE, which may
        pass."""
        async with _refusals():
            return await self._verifier.is_signed(token)

    @activity.defn(name="people.still_valid")
    async def still_valid(self, message: Execution) -> Decided:
        """Asked right before what was approved is done: the approver may have been deactivated since. With `used_for`
        the approval is spent on it. Raises, finally, an error whose type is a `RefusalCode`."""
        m = message
        async with _refusals():
            if m.used_for is None:
                return await self._approvals.still_valid(m.approval_id, m.content_hash, self._now())
            return await self._approvals.use(m.approval_id, m.content_hash, m.used_for, self._now())

    @activity.defn(name="people.withdraw")
    async def withdraw(self, message: Withdraw) -> bool:
        """False: somebody has decided meanwhile."""
        return await self._approvals.withdraw(message.approval_id, message.by, message.why, self._now())

    @activity.defn(name="people.not_taken")
    async def not_taken(self, message: NotTaken) -> None:
        """The audit row of a signal that was not taken."""
        code = RefusalCode.BAD_DECISION if message.code == RefusalCode.BAD_DECISION else RefusalCode.TOKEN_INVALID
        refused = DecisionRefused(code, message.why)
        await self._approvals.note_refusal(message.approval_id, refused, UNVERIFIED, self._now())


def _caller() -> tuple[str | None, str]:
    """The workflow that asks, if one waits, and what is the same on every attempt of one request, and of no other."""
    if not activity.in_activity():
        return None, f"direct {uuid4()}"
    info = activity.info()
    waits = None if info.workflow_type == DECIDE_IN_PLACE else info.workflow_id
    return waits, f"{info.workflow_run_id} {info.activity_id}"


@asynccontextmanager
async def _refusals() -> AsyncIterator[None]:
    try:
        yield
    except DecisionRefused as error:
        about = () if error.by is None and error.standing is None else (error.standing, error.by)
        raise ApplicationError(error.why, *about, type=error.code.value, non_retryable=True) from error
    except ApprovalChanged as error:
        raise ApplicationError(str(error), type=RefusalCode.HASH_MISMATCH.value, non_retryable=True) from error
    except KeysUnavailable as error:
        raise ApplicationError(str(error), type=KEYS_UNAVAILABLE) from error
