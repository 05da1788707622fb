"""Tokens of decisions, of whoever has signed in here: one an approval, made for what it asks."""

from collections.abc import Callable, Sequence
from datetime import UTC, datetime

import httpx

from domain.approvals import ApprovalRequest
from starter.cli import session
from starter.cli.approvals.token import make_token
from starter.cli.errors import BadInput, Forbidden
from starter.cli.signed_in import TIMEOUT_S, fresh
from starter.clients.exchange import NoProof, TokenExchange


def _now() -> datetime:
    return datetime.now(UTC)


async def decision_tokens(wanted: Sequence[ApprovalRequest], now: Callable[[], datetime] = _now) -> list[str]:
    """Of who has signed in here, one for each decision. Raises `BadInput` when nobody has, else `CommandFailed`."""
    found = session.current()
    if found is None:
        raise BadInput("say who decides: sign in with `oms login`, or give --token (one an approval).")
    if found.granted is None:
        return [make_token(found.person, request) for request in wanted]
    async with httpx.AsyncClient(timeout=TIMEOUT_S, follow_redirects=False) as http:
        granted = await fresh(http, found, now)
        exchange = TokenExchange(http, granted.exchange_url)
        try:
            return [
                await exchange.decision(granted.access_token, request.approval_id, request.content_hash)
                for request in wanted
            ]
        except NoProof as why:
            raise Forbidden(f"{why}.") from None
