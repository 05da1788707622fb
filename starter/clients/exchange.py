"""Proofs by token exchange: who has a person's sign-in gets a token made for one command of theirs (decision 0040)."""

from collections.abc import Mapping
from typing import Any
from urllib.parse import urljoin

import httpx

from domain.access.authority import Binding
from domain.access.signing_in import CODE, TOKEN_EXCHANGE, TOKEN_TYPE
from starter.clients.proving import Prover

LONGEST = 16_384


class NoProof(Exception):
    """Nobody proves what the person wants to do: nothing was sent."""


class TokenExchange:
    """`url`: of the issuer. Raises `NoProof` and nothing else."""

    def __init__(self, http: httpx.AsyncClient, url: str) -> None:
        self._http = http
        self._url = url

    async def sign_in(self, code: str) -> str:
        """What the local issuer keeps under the number of a link."""
        return await self._answered({"grant_type": CODE, "code": code})

    async def sign_in_by_messenger(self, code: str, back: str) -> str:
        """Of who came back to `back` from the company's messenger with this code."""
        return await self._answered({"grant_type": CODE, "code": code, "back": back})

    async def session(self, sign_in: str) -> str:
        """A sign-in becomes the token of a session."""
        return await self._exchanged(sign_in)

    async def decision(self, session: str, approval_id: str, content_hash: str) -> str:
        return await self._exchanged(session, approval_id=approval_id, content_hash=content_hash)

    def prover(self, session: str) -> Prover:
        """Of the person of this session, in nobody else's name."""

        async def prove(binding: Binding, _by: str) -> str:
            return await self._exchanged(
                session, workflow_id=binding.workflow_id, command=binding.command, content_hash=binding.content_hash,
                nonce=binding.nonce,
            )  # fmt: skip

        return prove

    async def link(self, session: str, order_no: str, buyer: str) -> str:
        """What staff send a buyer: with it one applies for returns of this order, for some days."""
        return await self._exchanged(session, order_no=order_no, buyer=buyer)

    async def guest_code(self, attempt: str, order_no: str, buyer: str, phone: str) -> None:
        """A code to this phone; with `attempt` and the code comes the link."""
        form = {"attempt": attempt, "order_no": order_no, "buyer": buyer, "phone": phone}
        await self._answered(form, urljoin(self._url, "guests"))

    async def guest_link(self, attempt: str, code: str) -> str:
        """Of the buyer to whose phone the code was sent."""
        return await self._answered({"grant_type": CODE, "attempt": attempt, "code": code})

    def buyer_prover(self, link: str) -> Prover:
        """Of the buyer of this link, for the commands of buyers."""

        async def prove(binding: Binding, _by: str) -> str:
            return await self._exchanged(
                link, link="1", workflow_id=binding.workflow_id, command=binding.command,
                content_hash=binding.content_hash,
            )  # fmt: skip

        return prove

    async def _exchanged(self, subject: str, **asked: str) -> str:
        form = {"grant_type": TOKEN_EXCHANGE, "subject_token": subject, "subject_token_type": TOKEN_TYPE, **asked}
        return await self._answered(form)

    async def _answered(self, form: Mapping[str, str], url: str = "") -> str:
        try:
            answer = await self._http.post(url or self._url, data=dict(form))
            told: Any = answer.json() if len(answer.content) <= LONGEST else None
        except (httpx.HTTPError, ValueError) as why:
            raise NoProof(f"the issuer does not answer ({type(why).__name__}); try again") from None
        token = told.get("access_token") if isinstance(told, dict) else None
        if not answer.is_success or not isinstance(token, str):
            why_not = (
                str(told.get("error_description", "no reason given"))[:200] if isinstance(told, dict) else "no JSON"
            )
            raise NoProof(f"the issuer refused ({answer.status_code}: {why_not}); sign in again")
        return token
