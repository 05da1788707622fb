"""Pictures as evidence: checked by content, re-encoded, stored under our own names, counted against a quota (R42).

Not an activity of a workflow: pictures are too large for a history. Doors call it before the application is sent.
"""

from typing import Literal

from pydantic import AwareDatetime

from domain.order import Id, OrderNo
from domain.returns.models import Actor, EvidenceId, ReturnNo
from domain.strict import Strict


class Upload(Strict):
    """One picture for a case that may not exist yet. The bytes travel beside it."""

    return_no: ReturnNo
    order_no: OrderNo
    actor: Actor
    purpose: Literal["application", "inspection"] = "application"
    """`application`: at most nine a case, by people related to the order; `inspection`: from the warehouse desk."""
    at: AwareDatetime


class StoredEvidence(Strict):
    evidence_id: EvidenceId
    """Goes into `ApplyReturn.evidence`, or into a scan."""
    content_type: str
    size: int
    width: int
    height: int


class FetchedEvidence(Strict):
    """A picture to show. Send it as an attachment with `nosniff`: `headers` are those to use."""

    evidence_id: EvidenceId
    content: bytes
    headers: dict[str, str]


class EvidenceRefused(Exception):
    """`code`: NOT_AN_IMAGE, TOO_LARGE, TOO_MANY_PIXELS, TRUNCATED, QUOTA, FORBIDDEN, STORE_FULL, UNKNOWN."""

    def __init__(self, code: str, why: str) -> None:
        self.code = code
        super().__init__(why)


class EvidenceDesk:
    """Takes pictures in and hands them out."""

    async def add(self, upload: Upload, content: bytes) -> StoredEvidence:
        """Raises `EvidenceRefused`; nothing is stored then and no case is affected."""
        raise NotImplementedError

    async def fetch(self, return_no: ReturnNo, evidence_id: EvidenceId, viewer: Id, *, staff: bool) -> FetchedEvidence:
        """Raises `EvidenceRefused` (FORBIDDEN, UNKNOWN) for whoever is neither staff nor the order's buyer."""
        raise NotImplementedError
