"""An order's life by HTTP: placed, looked at, changed, in the name of the program and for its buyers."""

import asyncio

import pytest

from domain.access.api_tokens import ApiScope
from domain.states import OrderStatus
from store.approvals.approvals import ApprovalStore
from tests.open_api.programs import ADDRESS, Door
from tests.returns.orders import cups, paid

pytestmark = pytest.mark.usefixtures("cancelled_at_once")


async def test_an_order_is_placed_found_and_cancelled(door: Door) -> None:
    erp = await door.program()
    placed = await erp.post("/orders", door.order())
    assert placed.status_code == 201, placed.text
    assert placed.json()["payable_minor"] == 6_000
    shown = (await erp.get("/orders/SO26110001")).json()
    assert shown["order"]["status"] == "PENDING_PAYMENT" and shown["address"]["city"] == "杭州市"
    assert [line["sku"] for line in shown["lines"]] == ["CUP"]
    cancelled = await erp.post("/orders/SO26110001/cancel", {"reason": "not wanted", "on_behalf_of": "B-1"})
    assert cancelled.status_code == 200, cancelled.text
    await door.house.rest()
    assert (await erp.get("/orders/SO26110001")).json()["order"]["status"] == "CLOSED"
    rows = await door.audit("command.admitted")
    assert {row.detail["command"] for row in rows} == {"order.start", "order.cancel"}
    assert {(row.actor, row.detail["on_behalf_of"]) for row in rows} == {("api/erp", "B-1")}


async def test_a_paid_order_goes_elsewhere_and_shows_its_money(door: Door) -> None:
    erp, order = await door.program(), (await paid(door.house, cups())).order.order_no
    address = ADDRESS | {"street": "人民路 3 号"}
    moved = await erp.post(f"/orders/{order}/change-address", {"address": address, "remark": "the buyer has moved"})
    assert moved.status_code == 200, moved.text
    assert moved.json()["changed"]
    await door.house.rest()
    shown = (await erp.get(f"/orders/{order}")).json()
    assert shown["address"]["street"] == "人民路 3 号" and shown["parcels"][0]["child_no"].startswith(order)
    money = (await erp.get(f"/orders/{order}/payments")).json()
    assert (money["paid_minor"], len(money["payments"])) == (6_000, 1)
    refreshed = await erp.post(f"/orders/{order}/refresh", {})
    assert refreshed.status_code == 200 and refreshed.json()["as_of"]
    too_often = await erp.post(f"/orders/{order}/refresh", {})
    assert (too_often.status_code, too_often.json()["code"]) == (429, "TooOften") and too_often.headers["retry-after"]


async def test_a_program_holds_an_order_once_and_sees_what_became_of_it(door: Door) -> None:
    erp, order = await door.program(), (await paid(door.house, cups())).order.order_no
    asked = {"kind": "address", "reason": "the buyer moves house"}
    first = await erp.post(f"/orders/{order}/hold", asked, key="hold-1")
    assert first.status_code == 200, first.text
    assert (await erp.post(f"/orders/{order}/hold", asked, key="hold-1")).json() == first.json()
    await door.house.rest()
    (hold,) = (await erp.get(f"/orders/{order}")).json()["holds"]
    assert (hold["hold_id"], hold["kind"], hold["ending"]) == (first.json()["hold_id"], "address", None)
    wrong = await erp.post(f"/orders/{order}/hold", {"kind": "customs", "reason": "x"})
    assert wrong.status_code == 422


async def test_a_complaint_is_told_once_under_its_number(door: Door) -> None:
    erp, order = await door.program(), (await paid(door.house, cups())).order.order_no
    at = door.house.now().isoformat()
    asked = {"complaint_no": "C-1", "about": "damaged", "complained_at": at}
    for key in ("one", "two"):
        told = await erp.post(f"/orders/{order}/complaints", asked, key=key)
        assert (told.status_code, told.json()["complaint_no"]) == (201, "C-1"), told.text
    otherwise = await erp.post(f"/orders/{order}/complaints", asked | {"about": "late"})
    assert otherwise.status_code == 409 and "already" in otherwise.json()["detail"]
    assert await door.house.pool.fetchval("SELECT count(*) FROM complaints") == 1
    wrong = await erp.post(f"/orders/{order}/complaints", asked | {"text": "what the buyer wrote"})
    assert wrong.status_code == 422


async def test_a_list_is_read_page_by_page_without_gap_or_repeat(door: Door) -> None:
    erp = await door.program()
    numbers = [f"SO2611100{n}" for n in range(5)]
    for number in numbers:
        assert (await erp.post("/orders", door.order(number))).status_code == 201
    found, after = [], None
    while True:
        page = (await erp.get("/orders", limit=2, **({"after": after} if after else {}))).json()
        found += [order["order_no"] for order in page["orders"]]
        after = page["next"]
        if after is None:
            break
    assert sorted(found) == numbers
    wrong = await erp.get("/orders", after="made up")
    assert (wrong.status_code, wrong.json()["errors"][0]["pointer"]) == (422, "query/after")


async def test_what_an_order_lacks_is_named_with_its_place(door: Door) -> None:
    erp = await door.program()
    bad = door.order()
    bad["lines"][0]["qty"] = "two"
    del bad["buyer"]
    answer = await erp.post("/orders", bad)
    assert answer.status_code == 422 and answer.headers["content-type"] == "application/problem+json"
    assert {e["pointer"] for e in answer.json()["errors"]} >= {"#/lines/0/qty", "#/buyer"}
    dear = await erp.post("/orders", door.order(payable_minor=1))
    assert (dear.status_code, dear.json()["code"]) == (422, "PayableMismatch")
    assert (await erp.get("/orders")).json()["orders"] == []


@pytest.mark.parametrize(
    ("headers", "content", "status", "code"),
    [
        ({"content-type": "text/plain"}, b"{}", 415, "CONTENT_TYPE"),
        ({"content-type": "application/json"}, b"{", 422, "INVALID_JSON"),
        ({"content-type": "application/json"}, b'{"reason": "a", "reason": "b"}', 422, "INVALID_JSON"),
        ({"content-type": "application/json"}, b'"' + b"x" * 2_100_000 + b'"', 413, "TOO_LARGE"),
    ],
)
async def test_what_is_no_message_is_refused_before_anything_else(
    door: Door, headers: dict[str, str], content: bytes, status: int, code: str
) -> None:
    erp = await door.program()
    for path in ("/orders", "/orders/SO26110001/cancel"):
        answer = await erp.http.post(path, content=content, headers={**headers, "idempotency-key": "k"})
        assert (answer.status_code, answer.json()["code"]) == (status, code)


async def test_a_program_of_one_shop_neither_sees_nor_changes_what_is_anothers(door: Door) -> None:
    order = (await paid(door.house, cups())).order
    stranger = await door.program(name="api/other", channels=("another-shop",))
    for answer in (
        await stranger.get(f"/orders/{order.order_no}"),
        await stranger.get(f"/orders/{order.order_no}/payments"),
        await stranger.post(f"/orders/{order.order_no}/cancel", {"reason": "mine?"}),
    ):
        assert (answer.status_code, answer.json()["code"]) == (404, "NO_SUCH_ORDER")
        nowhere = await stranger.get("/orders/SO-NOWHERE-1")
        assert answer.json()["detail"].replace(order.order_no, "SO-NOWHERE-1") == nowhere.json()["detail"]
    assert (await stranger.get("/orders")).json()["orders"] == []
    assert (await stranger.post("/orders", door.order())).json()["code"] == "OUT_OF_SCOPE"
    assert len(await door.audit("api.refused")) == 4
    assert (await door.house.client.view(order.order_no)).status is OrderStatus.AWAITING_SHIPMENT


async def test_a_program_of_one_warehouse_sees_its_orders_only(door: Door) -> None:
    order = (await paid(door.house, cups())).order.order_no
    mine = (await (await door.program(name="api/all")).get(f"/orders/{order}")).json()["parcels"][0]["warehouse"]
    near = await door.program(name="api/near", warehouses=(mine,))
    far = await door.program(name="api/far", warehouses=("WH-MOON",))
    assert (await near.get(f"/orders/{order}")).status_code == 200
    assert (await far.get(f"/orders/{order}")).status_code == 404


async def test_the_refusal_of_the_worker_is_told_in_its_own_words(door: Door) -> None:
    erp, order = await door.program(), (await paid(door.house, cups())).order.order_no
    forged = await erp.post(f"/orders/{order}/cancel", {"reason": "as staff", "on_behalf_of": "u-cs"})
    assert (forged.status_code, forged.json()["code"]) == (403, "NOT_THE_SENDER")
    early = await erp.post(f"/orders/{order}/confirm-receipt", {})
    assert (early.status_code, early.json()["code"]) == (409, "NotNow"), early.text


async def test_one_token_that_asks_too_much_is_told_when_again_and_hurts_no_other(door: Door) -> None:
    loud = await door.program(name="api/loud", per_minute=60)
    calm = await door.program(name="api/calm", per_minute=60)
    answers = await asyncio.gather(*(loud.get("/orders") for _ in range(40)))
    refused = [a for a in answers if a.status_code == 429]
    assert len(refused) >= 25 and refused[0].headers["retry-after"] == "1"
    assert (await calm.get("/orders")).status_code == 200
    made_up = door.with_text(f"oms_{loud.token_no}_{'A' * 43}")
    assert {(await made_up.get("/orders")).status_code for _ in range(40)} <= {401, 429}
    assert (await calm.get("/orders")).status_code == 200, "who makes up tokens slows nobody down"


async def test_scopes_are_apart(door: Door) -> None:
    reader = await door.program(ApiScope.ORDERS_READ, name="api/reader")
    writer = await door.program(ApiScope.ORDERS_WRITE, name="api/writer")
    assert (await reader.post("/orders", door.order())).status_code == 403
    assert (await writer.post("/orders", door.order())).status_code == 201
    assert (await writer.get("/orders/SO26110001")).status_code == 403
    assert (await reader.get("/orders/SO26110001")).status_code == 200


async def test_a_payment_that_a_marketplace_took_is_told_once_and_waits_for_finance(door: Door) -> None:
    erp = await door.program()
    order = door.order() | {"payment": {"method": "external"}}
    assert (await erp.post("/orders", order)).status_code == 201
    path = f"/orders/{order['order_no']}/payments"
    paid = {
        "channel": "wechat", "merchant_id": "1900000001", "transaction_id": "420077",
        "amount_minor": order["payable_minor"], "paid_at": order["placed_at"], "evidence": "settlement file, line 7",
    }  # fmt: skip
    told = await erp.post(path, paid, "k1")
    assert told.status_code == 202 and told.json()["approval_id"].startswith("A-money/"), told.text
    assert (await erp.post(path, paid, "k1")).json() == told.json() == (await erp.post(path, paid, "k2")).json()
    short = await erp.post(path, paid | {"amount_minor": 1, "transaction_id": "420078"})
    assert (short.status_code, short.json()["code"]) == (409, "DeskRefused") and "costs" in short.json()["detail"]
    assert (await (await door.program(ApiScope.ORDERS_READ, name="api/looker")).post(path, paid)).status_code == 403
    (asked,) = await ApprovalStore(door.house.pool).list()
    assert (asked.request.requested_by, asked.request.role) == ("api/erp", "FINANCE")
