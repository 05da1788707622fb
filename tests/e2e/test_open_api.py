"""An ERP on the running system: orders in by HTTP, shipment and refund out by webhooks that it verifies (R78)."""

import asyncio
from datetime import UTC, datetime, timedelta

import pytest

from bench.demo.environment import DemoEnvironment, Seen
from domain.order import StartOrder
from domain.strict import of as read
from examples.erp_round_trip import ApiRefused, Erp, an_order, of
from tests.e2e.programs import oms

SCOPES = ("orders:read", "orders:write", "events:read", "stock:write")


async def a_token(city: dict[str, str]) -> str:
    people = (await oms(city, "people", "list", "--json")).json
    asks, decides = [p["person_id"] for p in people if p["active"] and "ADMIN" in p["roles"]][:2]
    scopes = [word for scope in SCOPES for word in ("--scope", scope)]
    said = (await oms(city, "api-token", "add", "erp", *scopes, "--channel", "erp", "--by", asks, "--json")).json
    number = said["answer"]["approval"]["approval_id"]
    agreed = await oms(city, "approve", "approve", number, "--as", decides, "--remark", "contract seen")
    assert agreed.code == 0, agreed
    return str(said["token"])


@pytest.mark.timeout(300)
async def test_an_erps_order_goes_in_by_http_and_its_shipment_and_refund_come_back_signed(
    stage: DemoEnvironment, city: dict[str, str]
) -> None:
    erp = Erp(f"{city['OMS_CONSOLE_URL']}/api/v1", await a_token(city), city["OMS_SUBSCRIPTION_ERP"])
    receiver = erp.listen()
    to = f"http://127.0.0.1:{receiver.server_port}/"
    kinds = ("--type", "parcel.status_changed", "--type", "refund.succeeded")
    added = await oms(
        city, "subscription", "add", "erp", "--role", "other", "--url", to, "--secret", "OMS_SUBSCRIPTION_ERP", *kinds
    )
    assert added.code == 0, added
    try:
        goods = {"sku": "CUP", "warehouse": "WH-EAST", "qty": 5, "ref": "GR-ERP-1"}
        await asyncio.to_thread(erp.change, "/stock/receipts", goods, "GR-ERP-1")
        shipped, late = an_order("ERP-SHIPS-1"), an_order("ERP-LATE-01")
        late["payment"] = {"deadline": (datetime.now(UTC) + timedelta(seconds=5)).isoformat()}
        for order in (shipped, late):
            stage.seen[order["order_no"]] = Seen()
            placed = await asyncio.to_thread(erp.change, "/orders", order, f"{order['order_no']}-place")
            assert placed["payment_code"], placed
        await stage.pay(read(StartOrder, shipped))
        told = await asyncio.to_thread(
            erp.wait_for, of("ERP-SHIPS-1", "parcel.status_changed", to_status="SHIPPED"), 120
        )
        assert told["data"]["waybill_no"]
        seen = await asyncio.to_thread(erp.read, "/orders/ERP-SHIPS-1")
        assert seen["parcels"][0]["waybill_no"] == told["data"]["waybill_no"]
        await stage.until("ERP-LATE-01", "closing", lambda s: s.status == "CLOSED")
        await stage.pay(read(StartOrder, late), late=True)
        refund = await asyncio.to_thread(erp.wait_for, of("ERP-LATE-01", "refund.succeeded"), 120)
        assert refund["data"]["amount_minor"] == 5_000
        asked = await asyncio.to_thread(erp.read, "/events?limit=500")
        assert refund["data"] in [event["data"] for event in asked["events"]], "asked or told, it is the same"
        with pytest.raises(ApiRefused, match="NO_SUCH_ORDER"):
            await asyncio.to_thread(erp.read, "/orders/ERP-NONE-1")
        forged = {"webhook-id": "evt_1", "webhook-timestamp": str(int(datetime.now(UTC).timestamp()))}
        assert erp.heard({**forged, "webhook-signature": "v1,AAAA"}, b"{}") == 401
    finally:
        assert (await oms(city, "subscription", "remove", "erp")).code == 0
        receiver.shutdown()
