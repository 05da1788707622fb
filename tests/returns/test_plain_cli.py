"""A case from any language: applied for and decided with the plain Temporal CLI, as docs/contract shows it."""

from pathlib import Path

from bench.scenarios.environment import ScenarioEnvironment
from bench.scenarios.environment.return_case import Case, case_of
from domain.returns.enums import CaseStatus, ReturnType
from tests.returns.orders import signed
from tests.returns.plain_cli import temporal_cli


async def applied(house: ScenarioEnvironment, folder: Path) -> Case:
    await house.office.open_for_business()
    case = await case_of(await signed(house), ReturnType.RETURN_REFUND, {"L1": 1})
    file = folder / "return.json"
    file.write_text(case.application.model_dump_json(exclude_none=True), encoding="utf-8")
    workflow_id = f"return/{case.return_no}"
    await temporal_cli(
        house, *("start", "--type", "Return", "--task-queue", "oms", "--workflow-id", workflow_id),
        *("--id-conflict-policy", "Fail", "--id-reuse-policy", "RejectDuplicate", "--fail-existing"),
        *("--input-file", str(file)),
    )  # fmt: skip
    answer = await temporal_cli(house, "update", "execute", "--workflow-id", workflow_id, "--name", "apply")
    assert answer["result"]["quote"]["total_minor"] == 3_000
    await house.clocks.follow(workflow_id)
    await house.rest()
    return case


async def signal(house: ScenarioEnvironment, case: Case, folder: Path, person: str) -> None:
    decision = house.office.decision(await case.asked(), person)
    file = folder / "decision.json"
    file.write_text(decision.model_dump_json(), encoding="utf-8")
    await temporal_cli(
        house, *("signal", "--workflow-id", f"return/{case.return_no}"),
        *("--name", "decide_by_signal", "--input-file", str(file)),
    )  # fmt: skip
    await house.rest()


async def test_a_decision_is_signalled(house: ScenarioEnvironment, tmp_path: Path) -> None:
    case = await applied(house, tmp_path)
    await signal(house, case, tmp_path, "u-sup")
    view = await temporal_cli(house, "query", "--workflow-id", f"return/{case.return_no}", "--type", "view")
    assert view["queryResult"][0]["status"] == CaseStatus.WAITING_RETURN


async def test_a_refused_one_is_an_audit_row_and_nothing_else(house: ScenarioEnvironment, tmp_path: Path) -> None:
    case = await applied(house, tmp_path)
    await signal(house, case, tmp_path, "u-wh")
    rows = await house.pool.fetch("SELECT detail FROM audit WHERE action LIKE '%refuse%'")
    assert [row["detail"]["code"] for row in rows] == ["WRONG_ROLE"]
    assert (await case.status(), (await case.asked()).state) == (CaseStatus.SUPERVISOR_REVIEW, "open")
