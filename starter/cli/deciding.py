"""Decides in place what no workflow waits for (a rule set to publish): the same activity code, the same books."""

from datetime import UTC, datetime

import httpx
from temporalio.exceptions import ApplicationError

from activities.people import Decide, PeopleActivities
from config import Settings, UnableToConfigure
from domain.approvals import Decided, Decision
from partners import token_verifier
from starter.approvals import DecisionNotTaken
from starter.cli.failing import Failure
from starter.cli.reach import database
from store.approvals import ApprovalStore


async def decide_here(decision: Decision) -> Decided:
    """Raises `DecisionNotTaken`."""

    def now() -> datetime:
        return datetime.now(UTC)

    async with database() as pool, httpx.AsyncClient() as client:

        async def http(_: str) -> httpx.AsyncClient:
            return client

        try:
            verifier = await token_verifier(Settings(), http, now)
        except UnableToConfigure as e:
            raise Failure(f"tokens cannot be verified: {e}.") from None
        try:
            return await PeopleActivities(ApprovalStore(pool), verifier, now).decide(Decide(decision=decision))
        except ApplicationError as e:
            raise DecisionNotTaken(decision.approval_id, e.type or "NoAnswer", e.message) from e
