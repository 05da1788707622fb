"""How orders went, boards, the return risk and building again, by HTTP: what the pages of reports show and do."""

from datetime import UTC, datetime, timedelta
from typing import Any

import pytest

from bench.insight.planting import PlantedOrder, plant_facts, plant_orders
from domain.access.api_tokens import ApiScope
from domain.access.authority import ProofCode
from domain.access.desk import BuildReportNow
from domain.insight.facts import MeasuredOrder
from domain.insight.periods import month
from domain.insight.risk import RiskFeatures
from starter.clients.desk import DeskClient
from starter.clients.errors import CommandRefused
from store.approvals.api_tokens import add_api_token
from store.console.boards import Board, ReportBoards
from store.insight.risk_models import LABEL_AFTER, RiskModelStore, keep_features
from tests.authority.test_api_token_scopes import prover
from tests.authority.test_api_tokens import Program
from tests.console.test_risk import MODEL, trained
from tests.open_api.programs import Door
from tests.open_api.test_reports import AT, T, a_report

APRIL = month("2026-04")
BOTH = (ApiScope.REPORTS_READ, ApiScope.REPORTS_WRITE)
FIELD = {
    "field": "complaints_30d", "zh": "近30天投诉", "en": "complaints", "points": {"each": 70, "cap": 70},
}  # fmt: skip
PLANTED = "its orders are rows that nobody has placed"
WAYS: tuple[tuple[str, str, Any], ...] = (
    ("GET", "", None),
    ("GET", "/health/2026-04/versions", None),
    ("GET", "/weekly/2026-W15/actions", None),
    ("GET", "/process/2026-04", None),
    ("GET", "/process/2026-04/orders?of=parcel&since=IN_TRANSIT&to=SIGNED", None),
    ("GET", "/boards", None),
    ("GET", "/risk", None),
    ("POST", "/boards", {"name": "Money", "measures": ["perfect_bp"]}),
    ("POST", "/boards/forget", {"name": "Money"}),
    ("POST", "/health/2026-04/build", {}),
    ("POST", "/risk/fields/try", FIELD),
)


@pytest.mark.parametrize(("method", "path", "body"), WAYS, ids=[f"{m} {p}" for m, p, _ in WAYS])
async def test_what_is_about_all_shops_is_not_for_a_token_of_some(
    door: Door, method: str, path: str, body: Any
) -> None:
    narrow_ones: tuple[dict[str, Any], ...] = ({"channels": ("wechat-mini",)}, {"warehouses": ("WH-EAST",)})
    for narrowed in narrow_ones:
        narrow = await door.program(*BOTH, **narrowed)
        refused = await narrow.http.request(
            method, f"/reports{path}", json=body, headers={"idempotency-key": f"k-{narrow.token_no}"}
        )
        assert (refused.status_code, refused.json()["code"]) == (403, "OUT_OF_SCOPE")
    assert [row.detail["code"] for row in await door.audit("api.refused")] == ["OUT_OF_SCOPE"] * 2


async def test_months_weeks_and_versions_are_listed(door: Door) -> None:
    erp = await door.program(ApiScope.REPORTS_READ)
    assert (await erp.get("/reports")).json() == {"months": [], "weeks": []}
    for most in (1, 2):
        await a_report(door, *(MeasuredOrder(f"SO-{n}", T, paid_at=T) for n in range(most)))
    assert (await erp.get("/reports")).json()["months"] == ["2026-04"]
    told = (await erp.get("/reports/health/2026-04/versions")).json()["versions"]
    assert [one["version"] for one in told] == [2, 1]
    assert (await erp.get("/reports/daily/2026-04/versions")).status_code == 422
    assert (await erp.get("/reports/weekly/2026-04/versions")).json()["code"] == "NO_SUCH_REPORT"
    assert (await erp.get("/reports/weekly/2026-W15/actions")).json() == {"week": "2026-W15", "actions": []}


async def test_each_step_has_its_share_and_hours_and_names_the_orders_that_stood_longest(door: Door) -> None:
    at = APRIL.since + timedelta(days=10)
    left, books = at + timedelta(days=1), door.house.pool
    door.house.has_a_known_fault(PLANTED)
    days = {"SO-FAST": 1, "SO-MEAN": 2, "SO-SLOW": 5}
    await plant_orders(books, [PlantedOrder(no, "上海市", at, at, left + timedelta(n), left) for no, n in days.items()])
    await plant_facts(books, list(days))
    erp = await door.program(ApiScope.REPORTS_READ)
    steps = (await erp.get("/reports/process/2026-04")).json()["steps"]
    (signed,) = [one for one in steps if (one["from_status"], one["to_status"]) == ("IN_TRANSIT", "SIGNED")]
    assert (signed["of_child"], signed["times"], signed["share_bp"], signed["median_h"]) == (True, 3, 10_000, 43.0)
    path = "/reports/process/2026-04/orders"
    slow = (await erp.get(path, of="parcel", since="IN_TRANSIT", to="SIGNED")).json()["orders"]
    assert [one["order_no"] for one in slow] == ["SO-SLOW", "SO-MEAN", "SO-FAST"] and slow[0]["hours"] == 115.0
    wrong = await erp.get(path, of="parcel", since="NOWHERE", to="SIGNED")
    assert (wrong.status_code, wrong.json()["errors"][0]["pointer"]) == (422, "query/since")
    assert (await erp.get("/reports/process/2026-13")).json()["code"] == "NO_SUCH_REPORT"


async def test_a_board_is_arranged_once_a_key_and_belongs_to_the_program_that_did(door: Door) -> None:
    await a_report(door, MeasuredOrder("SO-1", T, paid_at=T, parcels=2))
    boards = ReportBoards(door.house.pool)
    await boards.save(Board("People's", ("perfect_bp",), ("FINANCE",), "u-ops"), AT)
    await boards.save(Board("Own", ("perfect_bp",), (), "u-ops"), AT)
    erp = await door.program(*BOTH)
    wanted = {"name": "Splits", "measures": ["split_rate_bp", "perfect_bp"], "shared_with": ["ORDER_OPS"]}
    first, again = [await erp.post("/reports/boards", wanted, "k1") for _ in range(2)]
    assert first.status_code == 200 and again.headers["idempotent-replayed"] == "true"
    assert [board.name for board in await boards.visible("u-other", ["ORDER_OPS"])] == ["Splits"], "people see it"
    found = (await erp.get("/reports/boards")).json()
    assert (found["month"], [one["name"] for one in found["boards"]]) == ("2026-04", ["People's", "Splits"])
    figures = found["boards"][1]["figures"]
    assert [(one["figure"]["measure"], one["before"]) for one in figures] == [
        ("split_rate_bp", None), ("perfect_bp", None),
    ]  # fmt: skip
    assert figures[0]["figure"]["value"] == 10_000
    taken = await erp.post("/reports/boards", wanted | {"name": "Own"})
    assert (taken.status_code, taken.json()["code"]) == (409, "BOARD_TAKEN")
    assert (await erp.get("/reports/boards", name="Own")).json()["code"] == "NO_SUCH_BOARD", "not shared with anybody"
    other = await door.program(*BOTH, name="api/other")
    assert (await other.post("/reports/boards/forget", {"name": "Splits"})).json()["removed"] is False
    assert (await erp.post("/reports/boards/forget", {"name": "Splits"})).json()["removed"] is True
    assert [row.actor for row in (*await door.audit("board.saved"), *await door.audit("board.removed"))] == [
        "api/erp"
    ] * 2


@pytest.mark.parametrize(
    ("change", "pointer"),
    [
        ({"measures": ["nonsense"]}, "#/measures/0"),
        ({"measures": []}, "#/measures"),
        ({"name": " "}, "#/name"),
        ({"shared_with": ["WAREHOUSE"]}, "#/shared_with/0"),
    ],
)
async def test_what_is_no_board_names_its_field(door: Door, change: dict[str, Any], pointer: str) -> None:
    erp = await door.program(*BOTH)
    answer = await erp.post("/reports/boards", {"name": "Splits", "measures": ["split_rate_bp"]} | change)
    assert (answer.status_code, answer.json()["errors"][0]["pointer"]) == (422, pointer)


async def test_the_risk_says_who_judges_and_tries_a_field_that_nobody_is_protected_from(door: Door) -> None:
    books, now = door.house.pool, door.house.now()
    erp = await door.program(ApiScope.REPORTS_READ)
    points = (await erp.get("/reports/risk")).json()
    assert (points["judges"], points["threshold"], points["trainings"]) == ("points", 60, [])
    await RiskModelStore(books).put(1, trained(), MODEL, "system", now)
    model = (await erp.get("/reports/risk")).json()
    assert (model["judges"], model["version"], model["threshold"]) == ("model", 1, 24)
    assert model["trainings"][0]["training"]["model"]["auc"] == 0.71
    at = now - LABEL_AFTER - timedelta(days=9)
    day = timedelta(days=1)
    door.house.has_a_known_fault(PLANTED)
    numbers = [f"SO-PAST-{n}" for n in range(4)]
    await plant_orders(books, [PlantedOrder(no, "杭州市", at, at, at + 2 * day, at + day) for no in numbers])
    async with books.acquire() as connection:
        for number in numbers:
            await keep_features(connection, number, at, RiskFeatures(other={"complaints_30d": 1}))
    tried = (await erp.post("/reports/risk/fields/try", FIELD)).json()
    assert (tried["trial"]["orders"], tried["trial"]["told"], tried["coverage_bp"]) == (4, 4, 10_000)
    assert tried["share_bp"]["1"] == 0 and tried["share_bp"]["0"] is None
    judged = await erp.post("/reports/risk/fields/try", FIELD | {"zh": "年龄"})
    assert judged.status_code == 422 and "nobody is judged by" in judged.text
    wrong = await erp.post("/reports/risk/fields/try", FIELD | {"points": {"each": 1, "cap": 99_999}})
    assert wrong.json()["errors"][0]["pointer"] == "#/points/cap"


async def test_a_report_is_built_once_a_key_and_what_is_not_over_is_refused(door: Door) -> None:
    erp = await door.program(*BOTH)
    first, again = [await erp.post("/reports/health/2026-04/build", key="k1") for _ in range(2)]
    assert first.json() == {"kind": "health", "period": "2026-04", "version": 1, "new": True}
    assert again.json() == first.json() and again.headers["idempotent-replayed"] == "true"
    anew = await erp.post("/reports/health/2026-04/build", key="k2")
    assert (anew.json()["version"], anew.json()["new"]) == (1, False), "the same facts"
    later = f"{datetime.now(UTC) + timedelta(days=400):%Y-%m}"
    early = await erp.post(f"/reports/health/{later}/build")
    assert (early.status_code, early.headers["content-type"]) == (409, "application/problem+json")
    assert (await erp.post("/reports/weekly/2026-04/build")).json()["code"] == "NO_SUCH_REPORT"


async def test_no_program_has_the_model_trained_again(door: Door) -> None:
    program = Program(door.house)
    work = BuildReportNow(report="risk", period="2026-04")
    change = program.wanted(BOTH)
    async with door.house.pool.acquire() as connection, connection.transaction():
        await add_api_token(connection, change, "u-admin", door.house.now())
    with pytest.raises(CommandRefused) as refused:
        await DeskClient(door.house.temporal, prover=prover(program)).do(work, 1, program.name)
    assert refused.value.type == ProofCode.WRONG_ROLE
