"""The way out of a replacement: returned unit inspected, outbound quality control passed, then the label (R56)."""

from enum import StrEnum

from domain.strict import Strict


class LabelResult(StrEnum):
    OK = "OK"
    RETURN_NOT_INSPECTED = "RETURN_NOT_INSPECTED"
    OUTBOUND_QC_REQUIRED = "OUTBOUND_QC_REQUIRED"


class ExchangeState(Strict):
    inspected: bool = False
    """The returned unit has been looked at, and the exchange stands."""
    outbound_qc_passed: bool = False
    """The last control counts: one that failed takes back one that had passed."""


def label_gate(state: ExchangeState) -> LabelResult:
    """What a request to print the replacement's label meets. Printing again is allowed, and audited elsewhere."""
    if not state.inspected:
        return LabelResult.RETURN_NOT_INSPECTED
    if not state.outbound_qc_passed:
        return LabelResult.OUTBOUND_QC_REQUIRED
    return LabelResult.OK
