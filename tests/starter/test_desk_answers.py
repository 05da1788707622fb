"""The desk hears in a sentence why a unit or a label was refused, and a script by the exit code."""

import pytest

from domain.returns.inspection import ScanResult
from starter.cli.errors import COULD_NOT, CommandFailed
from starter.cli.returns.desk_answers import ADVICE, DONE, LABELS, PRINTED, insist_graded, insist_printed
from workflows.returns.messages import LabelAnswer, Scanned

REFUSED = sorted({*ScanResult} - DONE)


def scanned(result: str) -> Scanned:
    return Scanned(scan_id="S1", result=result, accepted=1, expected=2)


def test_every_answer_that_is_a_no_has_its_advice() -> None:
    assert set(ADVICE) == {*REFUSED} | LABELS - {PRINTED}


@pytest.mark.parametrize("result", REFUSED)
def test_a_refused_scan_is_exit_code_one_with_advice(result: str) -> None:
    with pytest.raises(CommandFailed) as no:
        insist_graded([scanned("RESTOCK"), scanned(result)], finish=True)
    assert (no.value.code, str(no.value).startswith(f"{result}: ")) == (COULD_NOT, True)
    assert str(no.value).endswith("(1 before it is graded); nothing was finished.")


def test_what_was_graded_and_printed_is_no_failure() -> None:
    for result in DONE:
        insist_graded([scanned(result)])
    insist_graded([])
    insist_printed(LabelAnswer(result="OK"))
    with pytest.raises(CommandFailed, match=r"OUTBOUND_QC_REQUIRED: .*outbound-check"):
        insist_printed(LabelAnswer(result="OUTBOUND_QC_REQUIRED"))
