"""Pictures of after-sales cases, for whoever the caller has made sure of: taken in, handed out."""

from typing import Literal

from pydantic import AwareDatetime, ValidationError

from activities.evidence import EvidenceRefused, EvidenceService, FetchedEvidence, StoredEvidence, Upload
from domain.returns.models import Actor
from store.errors import StoreError

__all__ = ["EvidenceClient", "EvidenceRefused", "FetchedEvidence", "StoredEvidence"]
AWAY = "AWAY"
"""Code of a refusal: the store of pictures does not answer, or has lost it."""


class EvidenceClient:
    """Raises `EvidenceRefused` and nothing else of the store of pictures."""

    def __init__(self, service: EvidenceService) -> None:
        self._service = service

    async def add(
        self,
        return_no: str,
        order_no: str,
        actor: Actor,
        content: bytes,
        at: AwareDatetime,
        purpose: Literal["application", "inspection"] = "application",
    ) -> StoredEvidence:
        """Its id goes into the application, or into the scan. The case of an application need not exist yet."""
        try:
            upload = Upload(return_no=return_no, order_no=order_no, actor=actor, purpose=purpose, at=at)
        except ValidationError:
            raise EvidenceRefused("UNKNOWN", f"{return_no[:30]} is no return number, or {order_no[:30]} none") from None
        try:
            return await self._service.add(upload, content)
        except StoreError as why:
            raise EvidenceRefused(AWAY, str(why)) from None

    async def fetch(self, return_no: str, evidence_id: str, viewer: str, *, staff: bool) -> FetchedEvidence:
        try:
            return await self._service.fetch(return_no, evidence_id, viewer, staff=staff)
        except StoreError as why:
            raise EvidenceRefused(AWAY, str(why)) from None
