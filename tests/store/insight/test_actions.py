"""An action closes with the version that holds it and with nothing else, and shows whether the anomaly came again."""

from datetime import timedelta

import pytest
from pydantic import ValidationError

from activities.insight.reports import BuildReport, InsightActivities
from bench.insight.planting import PlantedTicket, plant_tickets
from domain.insight.improvements import AddAction, CloseAction
from domain.insight.parameters import InsightParameters
from store.errors import ActionRefused
from store.insight.actions import ActionStore
from store.insight.reports import ReportStore
from store.pool import Pool
from tests.store.insight.test_reports import AS_OF, HOUR, T, insight

__all__ = ["insight"]
WEEK = "2026-W15"
WANTED = AddAction(week=WEEK, anomaly_id="T-1", text="Split by warehouse first", owner="u-ops", due="2026-05-15")


@pytest.fixture
async def actions(insight: InsightActivities, pool: Pool) -> ActionStore:
    await insight.build(BuildReport(report="weekly", period=WEEK, as_of=AS_OF))
    await pool.execute("INSERT INTO people (person_id, created_at) VALUES ('u-ops', $1)", AS_OF)
    return ActionStore(pool)


async def test_an_action_is_about_one_of_the_worst_and_somebodys(actions: ActionStore) -> None:
    first, again = await actions.add(WANTED, "u-sup", AS_OF), await actions.add(WANTED, "u-sup", AS_OF)
    assert first == again
    (row,) = await actions.of_week(WEEK)
    assert (row.what, row.owner, row.closed_at, row.came_back) == ("qimen: push", "u-ops", None, None)
    for change in ({"anomaly_id": "T-9"}, {"week": "2026-W16"}, {"owner": "u-nobody"}):
        with pytest.raises(ActionRefused, match="no action was opened"):
            await actions.add(WANTED.model_copy(update=change | {"text": "other"}), "u-sup", AS_OF)


async def test_without_a_version_that_came_after_it_an_action_stays_open(actions: ActionStore, pool: Pool) -> None:
    reports = ReportStore(pool)
    await reports.put_parameters(InsightParameters(hours_cap=40), "u-ops", AS_OF - HOUR)
    number = await actions.add(WANTED, "u-sup", AS_OF)
    for held_by, version in (
        ("rules", 77),
        ("policy", 77),
        ("insight", 77),
        ("insight", 1),
        ("automations", 77),
        ("forms", 77),
    ):
        wanted = CloseAction.model_validate({"action_no": number, "held_by": held_by, "version": version})
        with pytest.raises(ActionRefused, match="stays open"):
            await actions.close(wanted, "u-sup", AS_OF + HOUR)
    with pytest.raises(ActionRefused, match="no action"):
        await actions.close(CloseAction(action_no=999, held_by="insight", version=1), "u-sup", AS_OF)
    await reports.put_parameters(InsightParameters(hours_cap=30), "u-ops", AS_OF + HOUR)
    closing = CloseAction(action_no=number, held_by="insight", version=2)
    for _ in range(2):
        await actions.close(closing, "u-sup", AS_OF + 2 * HOUR)
    (row,) = await actions.of_week(WEEK)
    assert (row.held_by, row.held_version, row.closed_by, row.came_back) == ("insight", 2, "u-sup", 0)
    with pytest.raises(ActionRefused, match="is closed"):
        await actions.close(closing.model_copy(update={"version": 1}), "u-sup", AS_OF + 3 * HOUR)


async def test_what_comes_again_within_four_weeks_is_counted(actions: ActionStore, pool: Pool) -> None:
    number = await actions.add(WANTED, "u-sup", T)
    await ReportStore(pool).put_parameters(InsightParameters(hours_cap=30), "u-ops", T + HOUR)
    closed = T + 2 * HOUR
    await actions.close(CloseAction(action_no=number, held_by="insight", version=1), "u-sup", closed)
    again = [(closed, "push"), (closed + HOUR, "push"), (closed + timedelta(days=28), "push"),
             (closed + timedelta(days=29), "push"), (closed + HOUR, "cancel")]  # fmt: skip
    await plant_tickets(
        pool,
        [PlantedTicket(f"T-R{n}", "OK-0001", "qimen", step, at, HOUR, True) for n, (at, step) in enumerate(again)],
    )
    (row,) = await actions.of_week(WEEK)
    assert row.came_back == 2


@pytest.mark.parametrize("due", ["2026-02-30", "tomorrow", "2026-5-1"])
def test_a_day_that_the_calendar_lacks_is_no_due_date(due: str) -> None:
    with pytest.raises(ValidationError):
        AddAction(week=WEEK, anomaly_id="T-1", text="x", owner="u-ops", due=due)
