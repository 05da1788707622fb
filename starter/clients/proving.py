"""How a client proves who gives its commands: each gets a token made for exactly what is sent (decision 0035)."""

import secrets
from collections.abc import Awaitable, Callable
from datetime import UTC, datetime
from typing import TypeVar, cast

from domain.access.authority import Binding, message_hash
from domain.order import StartOrder
from domain.returns.models import ApplyReturn
from providers.tokens.issue import SigningKey, issue_proof
from workflows.messages import SignedCommand

Prover = Callable[[Binding, str], Awaitable[str]]
"""The token for one command, in the name that its message bears."""
Message = TypeVar("Message", bound=SignedCommand | ApplyReturn | StartOrder)


def _now() -> datetime:
    return datetime.now(UTC)


def service(key: SigningKey, name: str, audience: str, clock: Callable[[], datetime] = _now) -> Prover:
    """A backend signs by itself. Its messages are in its own name, or in that of a buyer, whom it vouches for."""

    async def prove(binding: Binding, by: str) -> str:
        return issue_proof(
            key, name, binding, token_id=secrets.token_urlsafe(18), issuer=name, audience=audience, now=clock(),
            on_behalf_of=None if by == name else by,
        )  # fmt: skip

    return prove


def local_issuer(key: SigningKey, issuer: str, audience: str, clock: Callable[[], datetime] = _now) -> Prover:
    """Whoever holds the local issuer's key can name anybody: for a developer's stack."""

    async def prove(binding: Binding, by: str) -> str:
        number = secrets.token_urlsafe(18)
        return issue_proof(key, by, binding, token_id=number, issuer=issuer, audience=audience, now=clock())

    return prove


async def proved(prover: Prover, workflow_id: str, update: str, message: Message, by: str) -> Message:
    """The message with its proof."""
    kind = workflow_id.partition("/")[0]
    binding = Binding(workflow_id, f"{kind}.{update}", message_hash(message.model_dump(mode="json")))
    return cast(Message, message.model_copy(update={"proof": await prover(binding, by)}))
