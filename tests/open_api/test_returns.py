"""A case by HTTP: what it would come to, pictures, applied for, looked at, withdrawn, sent back."""

from typing import Any

import pytest

from domain.returns.enums import CaseStatus
from store.returns import ReturnStore
from tests.open_api.programs import Door, Program
from tests.providers.test_evidence_images import a_picture
from tests.returns.orders import cups, signed

RETURN = "RT26112001"


def a_return(order_no: str, buyer: str, **changed: Any) -> dict[str, Any]:
    asked: dict[str, Any] = {
        "return_no": RETURN, "order_no": order_no, "buyer_id": buyer, "type": "return_refund", "channel": "app",
        "lines": {"L1": 1}, "reason": "no_reason",
    }  # fmt: skip
    return asked | changed


async def sent(door: Door) -> tuple[Program, str, str]:
    order = (await signed(door.house, cups())).order
    return await door.program(), order.order_no, order.buyer.buyer_id


async def picture(program: Program, order: str, buyer: str, key: str = "p1") -> Any:
    return await program.http.post(
        f"/returns/{RETURN}/evidence", params={"order_no": order, "buyer_id": buyer}, content=a_picture(),
        headers={"content-type": "image/jpeg", "idempotency-key": key},
    )  # fmt: skip


async def test_a_case_is_quoted_applied_for_looked_at_and_withdrawn(door: Door) -> None:
    erp, order, buyer = await sent(door)
    shot = await picture(erp, order, buyer)
    assert shot.status_code == 201, shot.text
    asked = a_return(order, buyer, evidence=[shot.json()["evidence_id"]])
    forecast = (await erp.post("/returns/quote", asked)).json()
    assert forecast["admitted"] and forecast["quote"]["total_minor"] == 3_000, forecast
    assert await ReturnStore(door.house.pool).view(RETURN) is None, "a quote holds nothing"
    applied = await erp.post("/returns", asked, "k1")
    assert applied.status_code == 201 and applied.json()["quote"]["total_minor"] == 3_000, applied.text
    assert (await erp.post("/returns", asked, "k1")).json() == applied.json()
    await door.house.rest()
    shown = (await erp.get(f"/returns/{RETURN}")).json()
    assert (shown["buyer_id"], shown["status"]) == (buyer, "SUPERVISOR_REVIEW"), shown
    assert [case["return_no"] for case in (await erp.get(f"/orders/{order}/returns")).json()["returns"]] == [RETURN]
    (line,) = (await erp.get("/returns", number=order, open=True)).json()["returns"]
    assert (line["return_no"], line["amount_minor"]) == (RETURN, 3_000)
    other = await door.program(name="api/other", channels=("another-shop",))
    assert (await other.get("/returns")).json() == {"returns": [], "next": None}
    gone = await erp.post(f"/returns/{RETURN}/cancel", {"reason": "I keep it", "on_behalf_of": buyer})
    assert gone.status_code == 200, gone.text
    await door.house.rest()
    view = await ReturnStore(door.house.pool).view(RETURN)
    assert view is not None and view.status is CaseStatus.CANCELLED_BY_BUYER


async def test_every_reason_against_a_case_is_told_with_its_line(door: Door) -> None:
    erp, order, buyer = await sent(door)
    asked = a_return(order, buyer, lines={"L1": 7})
    forecast = (await erp.post("/returns/quote", asked)).json()
    assert not forecast["admitted"] and forecast["against"]
    refused = await erp.post("/returns", asked)
    assert refused.status_code == 422
    assert {e["code"] for e in refused.json()["errors"]} == {r["code"] for r in forecast["against"]}
    stranger = await erp.post("/returns", a_return(order, "B-STRANGER"))
    assert (stranger.status_code, stranger.json()["code"]) == (403, "FORBIDDEN")
    inconsistent = await erp.post("/returns", a_return(order, buyer, replacements={"L1": "MUG"}))
    assert (inconsistent.status_code, inconsistent.json()["code"]) == (422, "INVALID_BODY")


async def test_what_is_no_picture_is_not_taken_and_a_form_is_as_good_as_a_body(door: Door) -> None:
    erp, order, buyer = await sent(door)
    query = {"order_no": order, "buyer_id": buyer}
    path = f"/returns/{RETURN}/evidence"
    form = await erp.http.post(
        path, params=query, files={"file": ("a.jpg", a_picture())}, headers={"idempotency-key": "f"}
    )
    assert form.status_code == 201, form.text
    for content, kind, code in (
        (b"no picture", "image/png", "NOT_AN_IMAGE"), (b"", "image/jpeg", "EMPTY"),
        (a_picture(), "text/html", "CONTENT_TYPE"),
        (b"x" * 6_100_000, "image/jpeg", "TOO_LARGE"), (b"--x", "multipart/form-data; boundary=y", "INVALID_FORM"),
        (b"--x", "multipart/form-data", "INVALID_FORM"),
    ):  # fmt: skip
        headers = {"content-type": kind, "idempotency-key": f"k-{code}-{len(kind)}"}
        answer = await erp.http.post(path, params=query, content=content, headers=headers)
        assert 400 < answer.status_code < 500 and answer.json()["code"] == code, answer.text
    stranger = await picture(erp, order, "B-STRANGER", "p2")
    assert (stranger.status_code, stranger.json()["code"]) == (403, "FORBIDDEN")


async def test_a_picture_is_taken_once_under_its_key(door: Door) -> None:
    erp, order, buyer = await sent(door)
    first, again = await picture(erp, order, buyer), await picture(erp, order, buyer)
    assert first.json() == again.json() and again.headers["idempotent-replayed"] == "true"
    assert await door.house.pool.fetchval("SELECT count(*) FROM return_evidence") == 1


async def test_a_case_of_another_shop_is_not_there(door: Door) -> None:
    erp, order, buyer = await sent(door)
    shot = (await picture(erp, order, buyer)).json()["evidence_id"]
    assert (await erp.post("/returns", a_return(order, buyer, evidence=[shot]))).status_code == 201
    stranger = await door.program(name="api/other", channels=("another-shop",))
    nowhere = await stranger.get("/returns/RT-NOWHERE")
    for answer in (
        await stranger.get(f"/returns/{RETURN}"), await stranger.post(f"/returns/{RETURN}/cancel", {"reason": "x"}),
        await stranger.post(f"/returns/{RETURN}/waybill", {"carrier": "YTO", "waybill_no": "1"}),
    ):  # fmt: skip
        assert answer.status_code == 404
        assert answer.json()["detail"] == nowhere.json()["detail"].replace("RT-NOWHERE", RETURN)
    for path in ("/returns", "/returns/quote"):
        assert (await stranger.post(path, a_return(order, buyer))).json()["code"] == "NO_SUCH_ORDER"
    handed = {"carrier": "YTO", "waybill_no": "Y1", "on_behalf_of": buyer}
    odd = await erp.post(f"/returns/{RETURN}/waybill", handed)
    assert (odd.status_code, odd.json()["code"]) == (422, "ODD_WAYBILL") and "YT1234567890123" in odd.json()["detail"]
    early = await erp.post(f"/returns/{RETURN}/waybill", handed | {"as_is": True})
    assert early.status_code == 409, early.text


@pytest.mark.parametrize("number", ["x", "RT 1", "a" * 27, "%00%00%00%00%00%00"])
async def test_what_is_no_number_is_named(door: Door, number: str) -> None:
    answer = await (await door.program()).get(f"/returns/{number}")
    assert answer.status_code == 422 and answer.json()["errors"][0]["pointer"] == "path/return_no"
