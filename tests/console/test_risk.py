"""The return risk in the console: which model judges and why, and a field of another system on its way to count."""

from datetime import timedelta

import pytest

from bench.insight.planting import PlantedOrder, PlantedReturn, plant_orders, plant_returns
from domain.insight.evaluation import Decile, Judged, Training
from domain.insight.risk import RiskFeatures
from domain.insight.risk_model import RiskModel, Weight
from store.insight.risk_models import LABEL_AFTER, RiskModelStore, keep_features
from tests.console.office import Desk
from tests.console.test_tickets import english

WEIGHT = Weight(feature="returns_90d", weight=1.0, usual=0.2, spread=0.6)
MODEL = RiskModel(version=1, bias=-2.0, threshold=24, weights=(WEIGHT,))
GOOD = Judged(auc=0.71, brier=0.08, lift=2.5, deciles=(Decile(counted=10, expected=0.3, came_back=0.28),) * 10)
POOR = GOOD.model_copy(update={"auc": 0.55, "brier": 0.09})
FIELD = {"field": "complaints_30d", "zh": "近30天投诉", "en": "complaints", "each": "70", "cap": "70"}


def trained(**more: object) -> Training:
    found: dict[str, object] = {
        "month": "2026-09", "outcome": "in_force", "learnt_from": 9_000, "held_out": 1_000, "returned": 90,
        "model": GOOD, "points": POOR, "drivers": (WEIGHT,),
    }  # fmt: skip
    return Training.model_validate(found | more)


async def test_the_page_says_who_judges_how_well_it_did_and_what_drives_it(desk: Desk) -> None:
    browser, models = await english(desk, "order-ops"), RiskModelStore(desk.books)
    assert "Points judge, from 60 on" in (await browser.get("/reports/risk")).text
    await models.put(1, trained(), MODEL, "system", desk.now)
    page = (await browser.get("/reports/risk")).text
    assert "Model 1 judges, from 24 percent on" in page and "in force" in page and "sent back in 90 days" in page
    assert "0.710" in page and "points 0.550" in page and "28.0 %" in page and "system" in page
    await models.put(2, trained(outcome="not_better", why=("auc",)), MODEL, "u-ops", desk.now)
    page = (await browser.get("/reports/risk")).text
    assert "Points judge, from 60 on" in page and "orders them no better than points" in page and "in force" not in page


async def test_a_field_is_tried_on_past_orders_and_counts_only_when_another_person_lets_it(desk: Desk) -> None:
    at = desk.now - LABEL_AFTER - timedelta(days=9)
    day = timedelta(days=1)
    numbers = [f"SO-PAST-{n}" for n in range(8)]
    await plant_orders(desk.books, [PlantedOrder(no, "杭州市", at, at, at + 2 * day, at + day) for no in numbers])
    await plant_returns(desk.books, [PlantedReturn(no, at + 5 * day) for no in numbers[:3]])
    async with desk.books.acquire() as connection:
        for n, number in enumerate(numbers):
            other = {"complaints_30d": 1} if n < 2 else {}
            await keep_features(connection, number, at, RiskFeatures(other=other))
    browser = await english(desk, "order-ops")
    page = (await browser.post("/reports/risk/fields/try", **FIELD)).text
    assert "8 past orders whose end is known; 2 of them say it." in page
    assert "instead of 0; 2 of these came back instead of 0" in page and 'formaction="/reports/risk/fields/ask"' in page
    assert "in 83 of 100 pairs" in page
    answer = await browser.post("/reports/risk/fields/ask", **FIELD)
    assert answer.status_code == 503 and "nothing was sent" in answer.text, "it is asked of the worker"
    refused = await browser.post("/reports/risk/fields/try", **(FIELD | {"zh": "年龄"}))
    assert refused.status_code == 409 and "nobody is judged by" in refused.text


@pytest.mark.parametrize("change", [{"each": "many"}, {"field": ""}, {"cap": "999999"}])
async def test_what_is_no_field_is_refused(desk: Desk, change: dict[str, str]) -> None:
    browser = await english(desk, "order-ops")
    assert (await browser.post("/reports/risk/fields/try", **(FIELD | change))).status_code == 409


async def test_who_may_not_ask_for_policies_maps_nothing(desk: Desk) -> None:
    browser = await english(desk, "cs-supervisor")
    assert (await browser.get("/reports/risk")).status_code == 200
    assert (await browser.post("/reports/risk/fields/try", **FIELD)).status_code == 403
