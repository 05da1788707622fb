"""Who gives a command: its proof is verified, role and status are looked up, and both are written down, before its
workflow does anything. Whoever may write to a workflow may still not command it."""

from collections.abc import Collection, Mapping
from datetime import datetime
from typing import NoReturn
from uuid import uuid4

from pydantic import AwareDatetime
from temporalio import activity
from temporalio.exceptions import ApplicationError

from activities.approvals import KEYS_UNAVAILABLE
from domain.access.authority import Binding, ProofCode
from domain.access.controls import COMMAND as CONTROLS
from domain.access.desk import COMMAND as DESK
from domain.approvals import Hash, Role, Token
from domain.clock import Clock
from domain.order import Id
from domain.strict import Strict
from providers.tokens.errors import KeysUnavailable, TokenElsewhere, TokenExpired, TokenRefused
from providers.tokens.verify import TokenVerifier
from store.approvals.command_proofs import UNVERIFIED, Admission, AskedCommand, CommandPlace, CommandProofStore
from store.errors import CommandNotAdmitted

HOW = "sign in with `oms login`, or sign the command as a service (docs/authority.md)"

ALWAYS_PROVEN = (CONTROLS, DESK)
"""Nobody is believed by name about these, wherever."""


class AdmitCommand(Strict):
    """`command`: as its proof names it; `row`: of the table of authority; `by`: whom the message names; `request_id`:
    the same on every attempt of one request, and of no other."""

    command: str
    row: str
    content_hash: Hash
    by: Id
    proof: Token | None = None
    request_id: str
    order_no: str | None = None
    channel: str | None = None
    """Of an order that is started: the service has to be entitled to it."""
    of_order: str | None = None
    """Of what another workflow than its own does about an order: a return, a payment told."""
    warehouse: str | None = None
    """Where goods come in."""
    given_at: AwareDatetime | None = None
    """When Temporal took the start that it comes with: a proof that was good then is good, however long the worker was
    away since."""


class AdmittedCommand(Strict):
    """Who it is. `role` None: nobody has proven it, and here nobody has to."""

    person_id: str
    role: Role | None = None
    on_behalf_of: str | None = None


class AuthorityActivities:
    """`demanded`: a command without a proof is refused; else it is taken at its word, as on a stage of tests. The
    controls themselves nobody changes unproven, wherever."""

    def __init__(
        self,
        proofs: CommandProofStore,
        verifier: TokenVerifier,
        now: Clock,
        *,
        demanded: bool,
        channels: Mapping[str, Collection[str]] | None = None,
    ) -> None:
        """`channels`: by service, of which it may start orders; of one that is not named, of all."""
        self._proofs = proofs
        self._verifier = verifier
        self._now = now
        self._demanded = demanded
        self._channels = {} if channels is None else channels

    @activity.defn(name="people.admit")
    async def admit(self, message: AdmitCommand) -> AdmittedCommand:
        """Raises, finally, an error whose type is a `ProofCode`, with its audit row written; or TOKEN_KEYS_UNAVAILABLE,
        which may pass."""
        m = message
        if m.proof is None and not self._demanded and m.command not in ALWAYS_PROVEN:
            return AdmittedCommand(person_id=m.by)
        workflow_id = activity.info().workflow_id if activity.in_activity() else f"direct {uuid4()}"
        binding = Binding(str(workflow_id), m.command, m.content_hash)
        asked = AskedCommand(
            binding, m.row, m.by, m.request_id, m.order_no, CommandPlace(m.channel, m.of_order, m.warehouse)
        )
        try:
            admission = await self._admit(asked, m.proof, m.given_at)
        except CommandNotAdmitted as refused:
            raise ApplicationError(refused.why, type=refused.code.value, non_retryable=True) from refused
        except KeysUnavailable as error:
            raise ApplicationError(str(error), type=KEYS_UNAVAILABLE) from error
        return AdmittedCommand(person_id=admission.person_id, role=admission.role, on_behalf_of=admission.on_behalf_of)

    async def _admit(self, asked: AskedCommand, proof: str | None, given_at: datetime | None) -> Admission:
        if proof is None:
            await self._refuse(asked, ProofCode.PROOF_REQUIRED, f"nobody has proven to be {asked.by}: {HOW}")
        try:
            caller = await self._verifier.verify_command(proof, asked.binding, at=given_at)
        except TokenRefused as error:
            if isinstance(error, TokenExpired) and (before := await self._admitted_before(asked, proof)) is not None:
                return before
            await self._refuse(asked, _code(error), str(error))
        of, entitled = asked.place.channel, self._channels.get(caller.person_id)
        if of is not None and caller.source == "service" and entitled is not None and of not in entitled:
            refused = CommandNotAdmitted(ProofCode.WRONG_ROLE, f"{caller.person_id} starts no orders of channel {of}")
            await self._proofs.note_refusal(asked, refused, caller.person_id, self._now())
            raise refused
        return await self._proofs.admit(asked, caller, self._now())

    async def _admitted_before(self, asked: AskedCommand, proof: str) -> Admission | None:
        """The attempt before this one may have spent it in time: whoever died before saying so has admitted it."""
        try:
            caller = await self._verifier.verify_command(proof, asked.binding, may_be_over=True)
        except TokenRefused:  # that it is over is told first, whatever else is wrong with it
            return None
        return await self._proofs.admitted(asked, caller, self._now())

    async def _refuse(self, asked: AskedCommand, code: ProofCode, why: str) -> NoReturn:
        refused = CommandNotAdmitted(code, why)
        await self._proofs.note_refusal(asked, refused, UNVERIFIED, self._now())
        raise refused


def _code(error: TokenRefused) -> ProofCode:
    if isinstance(error, TokenElsewhere):
        return ProofCode.PROOF_MISMATCH
    return ProofCode.TOKEN_EXPIRED if isinstance(error, TokenExpired) else ProofCode.TOKEN_INVALID
