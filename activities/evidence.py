"""Pictures as evidence: checked by content, re-encoded, stored under our own names, counted against a quota (R42).

Not an activity of a workflow: pictures are too large for a history. Clients call it before the application is sent.
"""

import asyncio
import hashlib
import secrets
from typing import Literal

from pydantic import AwareDatetime

from domain.order import Id, OrderNo
from domain.returns.admission import related
from domain.returns.models import Actor, EvidenceId, ReturnNo
from domain.strict import Strict
from providers.evidence import CleanImage, NotAPicture, clean
from store.returns.evidence import EvidenceQuota, EvidenceRow, EvidenceStore, NewEvidence
from store.returns.evidence_storage import EXTENSIONS, Vault, VaultFull

DECODERS = 2
"""Pictures decoded at once: a large one takes 150 MB while it is looked at."""


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
    """`code`: EMPTY, NOT_AN_IMAGE, TOO_LARGE, TOO_MANY_PIXELS, TRUNCATED, QUOTA, FORBIDDEN, STORE_FULL, UNKNOWN."""

    def __init__(self, code: str, why: str) -> None:
        self.code = code
        super().__init__(why)


class EvidenceService:
    """Takes pictures in and hands them out."""

    def __init__(self, store: EvidenceStore, vault: Vault) -> None:
        self._store = store
        self.vault = vault
        self._decoders = asyncio.Semaphore(DECODERS)

    async def add(self, upload: Upload, content: bytes) -> StoredEvidence:
        """Raises `EvidenceRefused`; nothing is stored then and no case is affected.

        Bytes first and for good, then the row that names them: a row never points at nothing.
        """
        await self._may_add(upload)
        try:
            async with self._decoders:
                picture = await asyncio.to_thread(clean, content)
        except NotAPicture as error:
            raise EvidenceRefused(error.code, str(error)) from None
        evidence_id = secrets.token_hex(16)
        try:
            await self.vault.put(evidence_id, picture.content_type, picture.content)
        except VaultFull as error:
            raise EvidenceRefused("STORE_FULL", str(error)) from None
        try:
            await self._store.add(_row(upload, evidence_id, picture))
        except BaseException as error:
            await self.vault.remove(evidence_id, picture.content_type)
            if isinstance(error, EvidenceQuota):
                raise EvidenceRefused("QUOTA", str(error)) from None
            raise
        return StoredEvidence(
            evidence_id=evidence_id,
            content_type=picture.content_type,
            size=len(picture.content),
            width=picture.width,
            height=picture.height,
        )

    async def fetch(self, return_no: ReturnNo, evidence_id: EvidenceId, viewer: Id, *, staff: bool) -> FetchedEvidence:
        """Raises `EvidenceRefused` (UNKNOWN) for whoever is neither staff nor the order's buyer: a stranger does not
        even learn that it exists."""
        row = await self._store.get(return_no, evidence_id)
        allowed = row is not None and (staff or viewer == row.buyer_id)
        if row is not None and not allowed:
            await self._store.was_refused(row, viewer)
        if row is None or not allowed:
            raise EvidenceRefused("UNKNOWN", f"return {return_no} has no picture {evidence_id} for you")
        content = await self.vault.get(evidence_id, row.content_type)
        return FetchedEvidence(evidence_id=evidence_id, content=content, headers=_headers(row))

    async def _may_add(self, upload: Upload) -> None:
        buyer = await self._store.buyer_of(upload.order_no)
        at_the_desk = upload.purpose == "inspection" and await self._store.is_case(upload.return_no, upload.order_no)
        if buyer is None or not (at_the_desk or related(upload.actor, buyer)):
            raise EvidenceRefused(
                "FORBIDDEN", f"order {upload.order_no}: only its buyer, or customer service for them, adds pictures"
            )
        if upload.purpose == "inspection" and not at_the_desk:
            raise EvidenceRefused("FORBIDDEN", f"return {upload.return_no} is no case of order {upload.order_no} yet")


def _row(upload: Upload, evidence_id: str, picture: CleanImage) -> NewEvidence:
    return NewEvidence(
        evidence_id=evidence_id,
        return_no=upload.return_no,
        order_no=upload.order_no,
        purpose=upload.purpose,
        content_type=picture.content_type,
        size=len(picture.content),
        width=picture.width,
        height=picture.height,
        sha256=hashlib.sha256(picture.content).digest(),
        uploaded_by=upload.actor.id,
        uploaded_at=upload.at,
    )


def _headers(row: EvidenceRow) -> dict[str, str]:
    """A picture is a download and nothing else, whatever a browser thinks it has found in it."""
    return {
        "Content-Type": row.content_type,
        "Content-Disposition": f'attachment; filename="{row.evidence_id}.{EXTENSIONS[row.content_type]}"',
        "X-Content-Type-Options": "nosniff",
        "Content-Security-Policy": "default-src 'none'; sandbox",
        "Cache-Control": "private, no-store",
    }
