"""What is told about a change of the controls, and answered."""

from typing import Literal

from domain.access.controls import ControlChange
from domain.approvals import ApprovalRequest
from domain.strict import Strict
from workflows.messages import SignedCommand


class ChangeOfControls(SignedCommand):
    """Starts workflow `ChangeControls`, id `controls/{subject}-{n}`; its proof is for the command `controls.change`."""

    change: ControlChange


class ControlAnswer(Strict):
    """`asked`: another person has to decide; `made`; `rejected`; `not_made`: approved, and cannot be done any more;
    `expired`: not decided, or not made, in time: to be asked again."""

    state: Literal["asked", "made", "rejected", "not_made", "expired"]
    approval: ApprovalRequest | None = None
    said: str = ""
