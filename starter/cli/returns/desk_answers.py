"""What the desk is told when the answer is no: a sentence with advice, and exit code 1."""

from collections.abc import Mapping, Sequence
from typing import get_args

from domain.returns.inspection import DESTINATIONS
from starter.cli.errors import CommandFailed
from workflows.returns.messages import LabelAnswer, Scanned

DONE = frozenset(result.value for result in DESTINATIONS.values())
"""The unit is graded."""
PRINTED = "OK"
ADVICE: Mapping[str, str] = {
    "UNKNOWN_CODE": "this is no code of the case; look at the slip in the parcel, or ask after sales",
    "QTY_EXCEEDED": "one more than the case has; put it aside, a ticket is open",
    "PHOTO_REQUIRED": "a unit graded minor or scrap needs a picture; scan it again with --photo FILE",
    "WRONG_ITEM": "another article than was sold; put it aside, a ticket is open",
    "INSPECTION_OVER": "the inspection is over and the unit was told to be missing; put it aside, a ticket is open",
    "RETURN_NOT_INSPECTED": "the returned unit comes first: `oms return scan` or `oms return inspect`",
    "OUTBOUND_QC_REQUIRED": "the replacement is checked first: `oms return outbound-check`",
    "NOT_AN_EXCHANGE": "nothing is sent for this return: it pays money back",
    "LABEL_PENDING": "the carrier has given no number yet; ask again in a moment",
}
LABELS = frozenset(get_args(LabelAnswer.model_fields["result"].annotation))


def insist_graded(answers: Sequence[Scanned], finish: bool = False) -> None:
    """Raises `CommandFailed` unless the last unit was graded. `finish`: the inspection was to be finished after it."""
    if not answers or answers[-1].result in DONE:
        return
    graded, refused = len(answers) - 1, answers[-1].result
    before = f" ({graded} before it {'is' if graded == 1 else 'are'} graded)" if graded else ""
    left = "; nothing was finished" if finish else ""
    raise CommandFailed(f"{refused}: {ADVICE[refused]}{before}{left}.")


def insist_printed(answer: LabelAnswer) -> None:
    """Raises `CommandFailed` unless there is a label."""
    if answer.result != PRINTED:
        raise CommandFailed(f"{answer.result}: {ADVICE[answer.result]}.")
