"""The activities by which people are known, decide, and change what others may: of every worker and of the plays."""

from collections.abc import Collection, Mapping
from typing import Any

from activities.access.authority import AuthorityActivities
from activities.access.controls import ControlActivities
from activities.access.desk import DeskActivities
from activities.approvals import PeopleActivities
from domain.clock import Clock
from providers.tokens.verify import TokenVerifier
from store.approvals.approvals import ApprovalStore
from store.approvals.command_proofs import CommandProofStore
from store.approvals.controls import ControlStore
from store.pool import Pool


def deciding_people(
    pool: Pool,
    verifier: TokenVerifier,
    clock: Clock,
    *,
    proofs: bool = False,
    channels: Mapping[str, Collection[str]] | None = None,
    merchants: Mapping[str, str] | None = None,
) -> list[Any]:
    """Whose tokens count, whether commands need one, which service starts orders of which channels, and who we are at
    each payment channel, says the caller."""
    people = PeopleActivities(ApprovalStore(pool), verifier, clock)
    authority = AuthorityActivities(CommandProofStore(pool), verifier, clock, demanded=proofs, channels=channels)
    controls = ControlActivities(ControlStore(pool), clock)
    return [
        people.open, people.decide, people.still_valid, people.withdraw, people.not_taken, people.signed,
        authority.admit, controls.ask, controls.make, controls.over, controls.done_before, controls.expire,
        DeskActivities(pool, merchants).do,
    ]  # fmt: skip
