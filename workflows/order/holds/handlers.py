"""The doors of an order for holding and releasing."""

from typing import Any

from temporalio import workflow

from workflows.durable.commands import RepeatableCommands, repeatable, unless_done
from workflows.durable.proofs import proven
from workflows.durable.raw_messages import well_formed
from workflows.order.holds.holding import Holding
from workflows.order.holds.messages import HoldOrder, HoldPlaced, HoldReleased, ReleaseHold


def _by_kind(command: str, owner: Any, message: ReleaseHold) -> str:
    """`row`: who may release depends on what the hold is about."""
    hold = owner._state.holds.find(message.hold_id)
    return f"{command}: {hold.kind}" if hold is not None else command


class HoldHandlers(RepeatableCommands):
    holding: Holding

    def _check_registered(self) -> None: ...

    @workflow.update
    @proven("order.hold", "_check_hold")
    @repeatable("_check_hold")
    async def hold(self, message: HoldOrder) -> HoldPlaced:
        """Answers once the hold is in the books."""
        return await self.holding.hold(message)

    @hold.validator
    @well_formed
    @unless_done
    def _check_hold(self, message: HoldOrder) -> None:
        self._check_registered()
        self.holding.check_hold(message)

    @workflow.update
    @proven("order.release", "_check_release", row=_by_kind)
    @repeatable("_check_release")
    async def release(self, message: ReleaseHold) -> HoldReleased:
        """Answers once it is in the books that the hold is over."""
        return await self.holding.release(message)

    @release.validator
    @well_formed
    @unless_done
    def _check_release(self, message: ReleaseHold) -> None:
        self._check_registered()
        self.holding.check_release(message)
