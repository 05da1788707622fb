"""The start message of workflow `DeskWork`."""

from domain.access.desk import DeskTask
from workflows.messages import SignedCommand


class AtDesk(SignedCommand):
    """Its proof is for the command `desk.do`; the workflow's id is `desk_workflow_id` of the work."""

    work: DeskTask
