"""`/audit`: who did what, in words, and whether the log is whole."""

from collections.abc import Iterator, Mapping
from datetime import date
from typing import Annotated, Any

from fastapi import APIRouter, Depends
from starlette.exceptions import HTTPException
from starlette.requests import Request
from starlette.responses import Response

from console.navigation import AUDITORS
from console.pages.rendering import render
from console.session.user import User
from console.text.language import PageLanguage, language_of
from console.wiring import wiring_of
from domain.records import AuditEntry
from starter.text.words.audit import AUDIT_KINDS
from starter.text.words.states import STATES
from store.audit.audit import AuditRow, AuditStore
from store.console.audit import AuditFilter, AuditPages
from store.pool import clean

router = APIRouter()
A_PAGE = 50
LONGEST = 160
MOST_FACTS = 12
EVIDENCE = frozenset({"token_id", "content_hash", "workflow_id", "claims", "key_id"})
"""Of proofs, for who verifies them: `oms audit export` has it."""


@router.get("/audit")
async def audit(
    request: Request,
    user: Annotated[User, Depends(AUDITORS)],
    actor: str = "",
    kind: str = "",
    order: str = "",
    day: str = "",
    after: str = "",
) -> Response:
    language = language_of(request)
    try:
        chosen, before = date.fromisoformat(day) if day else None, int(after) if after else None
    except ValueError:
        raise HTTPException(400) from None
    if (kind and kind not in AUDIT_KINDS) or (before is not None and not 0 < before < 2**62):
        raise HTTPException(400)
    if chosen and not 2000 <= chosen.year <= 2200:
        raise HTTPException(400)
    wanted = AuditFilter(clean(actor.strip()) or None, kind or None, clean(order.strip()) or None, chosen)
    page = await AuditPages(wiring_of(request).pool).page(user.scope, wanted, A_PAGE, before)
    return render(
        request, "controls/audit.html", user, page=page, rows=[(row, list(facts(row, language))) for row in page.rows],
        kinds=[(value, language.say(text)) for value, text in AUDIT_KINDS.items()], verified=None,
    )  # fmt: skip


@router.post("/audit/verify")
async def verify(request: Request, user: Annotated[User, Depends(AUDITORS)]) -> Response:
    """Every row is held against its hash and the row before it. That somebody looked is a row, too."""
    store, now = AuditStore(wiring_of(request).pool), wiring_of(request).now()
    head, broken = await store.head(), await store.broken_at()
    found = {"rows": head.id if head else 0, "broken_at": broken}
    await store.append(AuditEntry(actor=user.id, action="audit.verified", detail=found), now)
    return render(request, "controls/_verified.html", user, head=head, broken=broken)


def facts(row: AuditRow, language: PageLanguage) -> Iterator[tuple[str, str]]:
    """What stands with it, a fact each, in words where there are some."""
    for n, (name, value) in enumerate(_flat(row.detail)):
        if n == MOST_FACTS:
            yield "…", ""
            return
        text = _said(name, value, language)
        if text:
            yield language.word("content", name), text[:LONGEST] + "…" * (len(text) > LONGEST)


def _flat(detail: Mapping[str, Any]) -> Iterator[tuple[str, Any]]:
    for name, value in detail.items():
        if isinstance(value, Mapping) and name not in EVIDENCE:
            yield from _flat(value)
        elif name not in EVIDENCE:
            yield name, value


def _said(name: str, value: Any, language: PageLanguage) -> str:
    if value in (None, "", [], {}):
        return ""
    if name.endswith("_minor") and isinstance(value, int):
        return language.money(value)
    if name in ("role", "roles", "needs"):
        return "、".join(language.word("role", one) for one in (value if isinstance(value, list) else [value]))
    if name == "code" and str(value) in STATES["refusal"]:
        return language.word("refusal", value)
    return ", ".join(map(str, value)) if isinstance(value, list) else str(value)
