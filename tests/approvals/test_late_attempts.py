"""Proofs are short-lived and workers may be away for long: what was given in time counts, whoever comes back to it."""

from dataclasses import replace
from datetime import datetime, timedelta

import pytest
from temporalio.exceptions import ApplicationError
from temporalio.testing import ActivityEnvironment

from activities.access.authority import AdmitCommand, AdmittedCommand, AuthorityActivities
from domain.access.authority import Binding, ProofCode
from providers.tokens.issue import issue_proof
from providers.tokens.verify import TokenVerifier
from store.approvals.command_proofs import CommandProofStore
from tests.approvals.world import AUDIENCE, ISSUER, NOW, ORDER, WORKFLOW, Office

LIFE = timedelta(minutes=2)
COMMAND, CONTENT = "order.request_merge", "0" * 64


def asked(office: Office, request: str = "run update", given_at: datetime | None = None) -> AdmitCommand:
    proof = issue_proof(
        office.key, "u-cs", Binding(WORKFLOW, COMMAND, CONTENT), token_id="p1", issuer=ISSUER, audience=AUDIENCE,
        now=NOW, life=LIFE,
    )  # fmt: skip
    return AdmitCommand(
        command=COMMAND, row=COMMAND, content_hash=CONTENT, by="u-cs", proof=proof, request_id=request, order_no=ORDER,
        given_at=given_at,
    )  # fmt: skip


async def admit(office: Office, message: AdmitCommand) -> AdmittedCommand:
    environment = ActivityEnvironment()
    environment.info = replace(environment.info, workflow_id=WORKFLOW)
    verifier = TokenVerifier(office.issuers, lambda: office.now)
    authority = AuthorityActivities(CommandProofStore(office.pool), verifier, lambda: office.now, demanded=True)
    return await environment.run(authority.admit, message)


async def refused(office: Office, message: AdmitCommand) -> str | None:
    with pytest.raises(ApplicationError) as error:
        await admit(office, message)
    return error.value.type


async def noted(office: Office) -> list[tuple[str, str]]:
    """Actor and code of every refused command in the audit."""
    rows = [row for row in await office.audit.list() if row.action == "command.refused"]
    return [(row.actor, row.detail["code"]) for row in reversed(rows)]


@pytest.fixture
async def staffed(office: Office) -> Office:
    await office.open()
    return office


async def test_what_an_attempt_admitted_in_time_the_next_one_admits_and_nobody_else_does(staffed: Office) -> None:
    first = await admit(staffed, asked(staffed))
    staffed.passes(timedelta(hours=48))
    assert await admit(staffed, asked(staffed)) == first
    assert await refused(staffed, asked(staffed, "another update")) == ProofCode.TOKEN_REPLAYED
    assert await noted(staffed) == [("u-cs", ProofCode.TOKEN_REPLAYED)]


async def test_a_proof_that_nobody_looked_at_in_time_is_over(staffed: Office) -> None:
    staffed.passes(LIFE)
    assert await refused(staffed, asked(staffed)) == ProofCode.TOKEN_EXPIRED


async def test_what_is_over_and_for_something_else_is_refused_at_once_with_its_audit_row(staffed: Office) -> None:
    staffed.passes(LIFE)
    elsewhere = asked(staffed).model_copy(update={"content_hash": "1" * 64})
    assert await refused(staffed, elsewhere) == ProofCode.TOKEN_EXPIRED
    assert await noted(staffed) == [("unverified", ProofCode.TOKEN_EXPIRED)]


async def test_a_start_counts_when_temporal_took_it_and_not_when_a_worker_had_time(staffed: Office) -> None:
    staffed.passes(timedelta(hours=1))
    late = asked(staffed, given_at=NOW + LIFE)
    assert await refused(staffed, late) == ProofCode.TOKEN_EXPIRED, "it was over when it came"
    in_time = asked(staffed, given_at=NOW + LIFE - timedelta(seconds=1))
    assert (await admit(staffed, in_time)).person_id == "u-cs"
