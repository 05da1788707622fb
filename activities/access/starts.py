"""The door of orders: a start that no service has proven is refused before anything is done (decision 0049)."""

from typing import NoReturn

from temporalio import activity
from temporalio.exceptions import ApplicationError

from domain.access.authority import START, Binding, ProofCode
from domain.clock import Clock
from domain.order import StartOrder
from store.approvals.command_proofs import UNVERIFIED, AskedCommand, CommandProofStore
from store.errors import CommandNotAdmitted

HOW = "a service of ours has to sign it (docs/contract/README.md, Who starts an order)"


class StartDoor:
    """Of the registration: what `people.admit` has looked at comes through, the rest is refused."""

    def __init__(self, proofs: CommandProofStore, now: Clock) -> None:
        self._proofs = proofs
        self._now = now

    async def refuse(self, order: StartOrder, run_id: str) -> NoReturn:
        """Raises an error of type PROOF_REQUIRED, with its audit row written."""
        why = f"nobody has proven who starts order {order.order_no}: {HOW}"
        refused = CommandNotAdmitted(ProofCode.PROOF_REQUIRED, why)
        workflow_id = activity.info().workflow_id if activity.in_activity() else f"order/{order.order_no}"
        binding = Binding(str(workflow_id), START, "")
        asked = AskedCommand(binding, START, order.buyer.buyer_id, run_id, order.order_no)
        await self._proofs.note_refusal(asked, refused, UNVERIFIED, self._now())
        raise ApplicationError(refused.why, type=refused.code.value, non_retryable=True)
