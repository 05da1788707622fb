"""What one workflow has asked people to approve: asked, waited for with a reminder and an escalation, used once.

    request = ask("merge_shipment", subject=order_no, n=approvals.next_number(), …)
    await approvals.open(request)
    decided = await approvals.decided(request.approval_id, waits, escalate)
    if decided and decided.approved:
        await approvals.use(request.approval_id, used_for="…")      # re-checked at execution

A workflow gives its update `decide` and its signal `decide_by_signal` to `decide` and `by_signal`. Nothing approves by
itself: time only makes the question louder.
"""

import hashlib
from collections.abc import Callable, Sequence
from contextlib import suppress
from dataclasses import dataclass
from datetime import datetime, timedelta
from typing import Literal

from pydantic import ValidationError
from temporalio import workflow
from temporalio.common import RawValue, RetryPolicy
from temporalio.exceptions import ActivityError, ApplicationError

from activities.access.door import SIGNER
from activities.approvals import Decide, Execution, NotTaken, OpenApproval, PeopleActivities, Withdraw
from domain.approvals import ApprovalRequest, Decided, Decision, RefusalCode
from domain.strict import UnableToRead, of
from workflows.durable.carrying import ByType, Table
from workflows.durable.local_steps import STORE_ERRORS, in_store
from workflows.durable.raw_messages import read_only_one
from workflows.durable.seals import believed, forged, nobodys

DECIDE_TIMEOUT = timedelta(seconds=30)
DECIDE_RETRY = RetryPolicy(initial_interval=timedelta(seconds=1), maximum_attempts=4)
MOST_REFUSED = 200
"""Signals that were refused: from then on one is looked at only after it has proven to be signed."""
MOST_UNSIGNED = 20
"""Decisions that nobody had signed and that left their rows; further ones are refused at the door and leave nothing.
They count for nobody: whoever has signed passes."""
MOST_OF_ONE, OF_ONE_WITHIN = 20, timedelta(hours=1)
"""Refused decisions of one proven person; their own further ones are refused at the door, nobody else's."""
MOST_PEOPLE = 50
SHUTS_OUT_NOBODY = "junk-shuts-out-nobody"

EXPIRES = "questions expire"

Overdue = Literal["reminder", "escalation"]


@dataclass(frozen=True)
class Waits:
    """From the moment of asking. The policy has them: `approval_reminder_s`, `approval_escalation_s`."""

    reminder_s: int = 24 * 3600
    escalation_s: int = 48 * 3600
    expires_s: int | None = None
    """Then it is withdrawn; None: it waits as long as it takes."""


class Approvals:
    CARRIED = Table(
        asked=dict[str, ApprovalRequest],
        _answers=dict[str, Decided],
        _all=dict[str, ApprovalRequest],
        _withdrawn=ByType(list[str], sorted, set),
        _refused=int,
        _unsigned=int,
        _refused_of=dict[str, dict[str, datetime]],
        _asked_at=dict[str, datetime],
        _told=dict[str, list[str]],
    )

    def __init__(self) -> None:
        self.asked: dict[str, ApprovalRequest] = {}
        """Open ones, by number."""
        self._answers: dict[str, Decided] = {}
        self._all: dict[str, ApprovalRequest] = {}
        self._withdrawn: set[str] = set()
        self._refused = 0
        self._unsigned = 0
        self._refused_of: dict[str, dict[str, datetime]] = {}
        """By person: a digest of each token, so that a stranger who sends one again adds nothing, and when."""
        self._asked_at: dict[str, datetime] = {}
        """When the waiting for each began."""
        self._told: dict[str, list[str]] = {}
        """How often each has been made louder, and for what."""

    def next_number(self) -> int:
        """For `A-{subject}-{n}`; a workflow with several subjects still counts in one row."""
        return len(self._all) + 1

    def request(self, approval_id: str) -> ApprovalRequest:
        return self._all[approval_id]

    async def open(self, request: ApprovalRequest) -> None:
        """In the books and to be seen by `oms approve list` when this returns."""
        self.keep(request)
        try:
            await in_store(
                PeopleActivities.open,
                OpenApproval(request=request, workflow_id=workflow.info().workflow_id),
                summary=f"ask {request.role} for {request.approval_id}",
            )
        except STORE_ERRORS:  # the books did not take it: nobody can decide it
            del self.asked[request.approval_id]
            raise

    def keep(self, request: ApprovalRequest) -> None:
        """One that is in the books already, or will be: its answer is awaited here."""
        self._all[request.approval_id] = self.asked[request.approval_id] = request

    async def decided(
        self, approval_id: str, waits: Waits, escalate: Callable[[ApprovalRequest, Overdue], None]
    ) -> Decided | None:
        """Waits for the decision as long as it takes; None when the question was withdrawn. `escalate` is called
        once after each of the two durations."""
        request = self._all[approval_id]
        asked_at = self._asked_at.setdefault(approval_id, workflow.now())
        told = self._told.setdefault(approval_id, [])
        for what, after_s in (("reminder", waits.reminder_s), ("escalation", waits.escalation_s)):
            if what in told:
                continue
            left = asked_at + timedelta(seconds=after_s) - workflow.now()
            if left > timedelta(0) and await self._answered(approval_id, left, f"{what} of {approval_id}"):
                return self._answers.get(approval_id)
            told.append(what)
            escalate(request, "reminder" if what == "reminder" else "escalation")
        if waits.expires_s is None or not workflow.patched(EXPIRES):
            await self._answered(approval_id, None, "")
            return self._answers.get(approval_id)
        left = asked_at + timedelta(seconds=waits.expires_s) - workflow.now()
        if not await self._answered(approval_id, max(left, timedelta(0)), f"{approval_id} expires"):
            await self.withdraw(approval_id, "system", "nobody has decided it in time")
            await workflow.wait_condition(lambda: approval_id not in self.asked)
        return self._answers.get(approval_id)

    async def _answered(self, approval_id: str, within: timedelta | None, name: str) -> bool:
        def answered() -> bool:
            return approval_id in self._answers or approval_id in self._withdrawn

        try:
            await workflow.wait_condition(answered, timeout=within, timeout_summary=name or None)
        except TimeoutError:
            return False
        return True

    async def withdraw(self, approval_id: str, by: str, why: str) -> None:
        """What was asked for is no longer wanted. A decision that was faster stands."""
        withdrawn = await in_store(
            PeopleActivities.withdraw,
            Withdraw(approval_id=approval_id, by=by, why=why),
            summary=f"withdraw {approval_id}",
        )
        if withdrawn:
            self._withdrawn.add(approval_id)
            self.asked.pop(approval_id, None)

    async def use(self, approval_id: str, used_for: str) -> Decided:
        """Right before what was approved is done: approver still active and in the role, content the same, not used
        for anything else. Raises `ApplicationError` with a `RefusalCode` as type."""
        request = self._all[approval_id]
        return await in_store(
            PeopleActivities.still_valid,
            Execution(approval_id=approval_id, content_hash=request.content_hash, used_for=used_for),
            summary=f"use {approval_id}",
        )

    # --- the doors ---------------------------------------------------------------------------------------------------

    def check(self, decision: Decision) -> None:
        """Validator of update `decide`. What is refused further in leaves an audit row, so little is refused here."""
        signer = workflow.extern_functions().get(SIGNER)
        who: str | None = signer(decision.token) if signer is not None else None
        if who == "" and self._unsigned >= MOST_UNSIGNED:
            why = f"nobody of ours has signed this decision of {decision.approval_id}, or its token has expired"
            raise ApplicationError(why, type=RefusalCode.TOKEN_INVALID)
        if who and self._lately(who) >= MOST_OF_ONE:
            raise ApplicationError(
                f"{MOST_OF_ONE} decisions of {who} have been refused here within the hour: {decision.approval_id} was "
                "not looked at; try again later, or have somebody else decide",
                type="TooMany",
            )

    def _lately(self, who: str) -> int:
        since = workflow.now() - OF_ONE_WITHIN
        return sum(at > since for at in self._refused_of.get(who, {}).values())

    def _count(self, token: str, refused: ApplicationError | None) -> None:
        self._refused += 1
        who = refused.details[1] if refused is not None and len(refused.details) > 1 else None
        if who is None:
            self._unsigned += refused is not None and refused.type in (
                RefusalCode.TOKEN_INVALID, RefusalCode.TOKEN_EXPIRED,
            )  # fmt: skip
            return
        since = workflow.now() - OF_ONE_WITHIN
        lately = {t: at for t, at in self._refused_of.pop(str(who), {}).items() if at > since}
        digest = hashlib.sha256(token.encode()).hexdigest()[:16]
        self._refused_of[str(who)] = dict([*lately.items(), (digest, workflow.now())][-MOST_OF_ONE:])
        for longest_ago in [*self._refused_of][: max(len(self._refused_of) - MOST_PEOPLE, 0)]:
            del self._refused_of[longest_ago]

    async def decide(self, decision: Decision) -> Decided:
        """Body of update `decide`. Raises `ApplicationError` with a `RefusalCode` as type; its audit row is written."""
        try:
            decided = believed(
                await workflow.execute_activity_method(
                    PeopleActivities.decide,
                    Decide(decision=decision, request=self._all.get(decision.approval_id)),
                    start_to_close_timeout=DECIDE_TIMEOUT,
                    retry_policy=DECIDE_RETRY,
                    summary=f"decide {decision.approval_id}",
                )
            )
            if decided.approval_id != decision.approval_id:
                raise nobodys("people.decide")
        except ActivityError as error:
            cause = None if forged(error.cause) else error.cause
            self._count(decision.token, cause if isinstance(cause, ApplicationError) else None)
            if isinstance(cause, ApplicationError):
                self._learn(decision.approval_id, cause)
                raise ApplicationError(cause.message, type=cause.type, non_retryable=True) from None
            raise ApplicationError(
                f"approval {decision.approval_id} could not be decided now: look with `oms approve show`",
                type="NoAnswer", non_retryable=True,
            ) from None  # fmt: skip
        self._answers[decision.approval_id] = decided
        self.asked.pop(decision.approval_id, None)
        return decided

    def _learn(self, approval_id: str, refused: ApplicationError) -> None:
        """A decision whose answer never came back (the database died after its commit) is heard of by the next."""
        standing = refused.details[0] if refused.details else None
        if refused.type == RefusalCode.ALREADY_DECIDED and standing and approval_id in self.asked:
            with suppress(ValidationError, TypeError):
                decided = of(Decided, standing)
                if decided.approval_id == approval_id:
                    self._answers[approval_id] = decided
                    self.asked.pop(approval_id)

    async def by_signal(self, arguments: Sequence[RawValue]) -> None:
        """Body of signal `decide_by_signal`: the same message through the same check. Nobody can be answered, so a
        refusal is an audit row and nothing else."""
        late = self._refused >= MOST_REFUSED
        if late and not workflow.patched(SHUTS_OUT_NOBODY):
            return
        try:
            decision = read_only_one(Decision, arguments, "signal")
        except UnableToRead as error:
            self._refused += 1
            if late:
                return
            text = " ".join(str(error).split())[:200]
            await self._not_taken(NotTaken(code=RefusalCode.BAD_DECISION, why=f"no decision message: {text}"))
            return
        if late and not await self._is_signed(decision):
            return
        try:
            await self.decide(decision)
        except ApplicationError as error:
            if error.type not in set(RefusalCode):  # an outage: the books do not know of it yet
                why = f"could not be looked at ({error.type}); send it again"
                await self._not_taken(NotTaken(approval_id=decision.approval_id, code=error.type or "", why=why))

    async def _is_signed(self, decision: Decision) -> bool:
        """Of one signal among very many that were refused: it leaves one event, and no row."""
        try:
            return await workflow.execute_local_activity_method(
                PeopleActivities.signed, decision.token, start_to_close_timeout=DECIDE_TIMEOUT,
                retry_policy=DECIDE_RETRY, summary="is it signed at all",
            )  # fmt: skip
        except (ActivityError, ApplicationError):
            why = "could not be looked at; send it again"
            await self._not_taken(NotTaken(approval_id=decision.approval_id, code="NoAnswer", why=why))
            return False

    async def _not_taken(self, message: NotTaken) -> None:
        await in_store(PeopleActivities.not_taken, message, summary="a decision that was not taken")
