"""Alipay, SF and sources described by a file: there when they are configured, and only then."""

import base64
import hashlib
import hmac
import json
import os
import secrets
from pathlib import Path
from typing import Any

import pytest
from temporalio.client import Client

from config.optional import SfSettings
from config.settings import Settings, UnableToConfigure
from config.sources import load
from domain.facts import Kind
from domain.records import ChildState
from domain.states import ChildStatus
from providers.callbacks import Receiver
from providers.generic.loading import load_mapping
from providers.generic.receiver import GenericReceiver
from providers.sf.receiver import SfReceiver
from providers.wechat import PlatformKeys
from relay.inbound.sources import receivers
from store.orders.orders import OrderStore
from store.pool import Pool
from tests.providers.wechat_world import private_pem, public_pem
from tests.relay.conftest import now, running, until
from tests.relay.inbound.test_real_sources import environment
from tests.relay.recorder import record
from tests.store.examples import a_settled_order, a_write

EXAMPLE = Path(__file__).resolve().parents[3] / "examples" / "generic-source.yaml"
KEY = "push-key-of-at-least-24-characters"
ALIPAY = {
    "BASE_URL": "http://127.0.0.1:9",
    "APP_ID": "2021000000000001",
    "SELLER_ID": "2088000000000011",
    "NOTIFY_URL": "https://shop.example/hooks/alipay",
}
SENDER = {"recipient": "W", "phone": "02100000000", "province": "上海市", "city": "上海市", "street": "1"}
SF = {
    "BASE_URL": "http://127.0.0.1:9",
    "PARTNER_ID": "P",
    "CHECK_WORD": "w",
    "MONTHLY_CARD": "7550000001",
    "SENDER": json.dumps(SENDER),
    "PUSH_KEYS": f"{KEY}, {KEY[::-1]}",
}


@pytest.fixture
def secret() -> str:
    return "whsec_" + base64.b64encode(secrets.token_bytes(32)).decode()


@pytest.fixture
def given(monkeypatch: pytest.MonkeyPatch) -> pytest.MonkeyPatch:
    for name in [n for n in os.environ if n.startswith("OMS_")]:
        monkeypatch.delenv(name)
    for name, value in environment("postgres://nobody@127.0.0.1:9/x", 1).items():
        monkeypatch.setenv(name, value)
    return monkeypatch


def sources() -> dict[str, Receiver]:
    settings = Settings()
    return dict(receivers(settings.receiving, settings.generic.sources, PlatformKeys({})))


def give(monkeypatch: pytest.MonkeyPatch, prefix: str, values: dict[str, str]) -> None:
    for name, value in values.items():
        monkeypatch.setenv(f"{prefix}{name}", value)


def test_only_what_is_configured_is_there(given: pytest.MonkeyPatch, secret: str) -> None:
    assert set(sources()) == {"wechat", "qimen", "tms", "kuaidi100"}
    keys = {"PRIVATE_KEY": private_pem("merchant"), "ALIPAY_PUBLIC_KEY": public_pem("platform")}
    give(given, "OMS_ALIPAY_", ALIPAY | keys)
    give(given, "OMS_SF_", SF)
    give(given, "", {"OMS_GENERIC_SOURCES": str(EXAMPLE), "OMS_ACME_WMS_SECRETS": secret})
    assert set(sources()) == {"wechat", "qimen", "tms", "kuaidi100", "alipay", "sf", "acme-wms"}


def test_a_partner_given_in_part_is_refused_by_the_names_that_are_missing(given: pytest.MonkeyPatch) -> None:
    give(given, "OMS_ALIPAY_", {"APP_ID": "2021000000000001"})
    with pytest.raises(UnableToConfigure, match="OMS_ALIPAY_SELLER_ID"):
        sources()


def test_an_address_with_the_gateways_path_is_refused(given: pytest.MonkeyPatch) -> None:
    give(given, "OMS_SF_", SF | {"BASE_URL": "https://bspgw.sf-express.com/std/service"})
    with pytest.raises(UnableToConfigure, match=r"OMS_SF_BASE_URL.*host only"):
        load(SfSettings)


def test_two_sources_of_one_name_are_refused(given: pytest.MonkeyPatch, tmp_path: Path, secret: str) -> None:
    (tmp_path / "copy.yaml").write_bytes(EXAMPLE.read_bytes())
    give(given, "", {"OMS_GENERIC_SOURCES": f"{EXAMPLE}, {tmp_path / 'copy.yaml'}", "OMS_ACME_WMS_SECRETS": secret})
    with pytest.raises(UnableToConfigure, match="two sources of callbacks are called acme-wms"):
        sources()


@pytest.mark.parametrize(
    ("values", "says"),
    [
        ({"OMS_GENERIC_SOURCES": "nowhere.yaml"}, "nowhere.yaml"),
        ({"OMS_GENERIC_SOURCES": str(EXAMPLE)}, "OMS_ACME_WMS_SECRETS"),
        ({"OMS_GENERIC_SOURCES": str(EXAMPLE), "OMS_ACME_WMS_SECRETS": "no-secret"}, "OMS_ACME_WMS_SECRETS"),
    ],
)
def test_a_source_that_cannot_be_verified_is_refused(
    given: pytest.MonkeyPatch, values: dict[str, str], says: str
) -> None:
    give(given, "", values)
    with pytest.raises(UnableToConfigure, match=says):
        sources()


async def shipped(orders: OrderStore, order_no: str, waybill_no: str) -> str:
    """An order with one parcel under this number; returns the child's."""
    (child, *_) = (await a_settled_order(orders, order_no)).children
    state = ChildState(child_no=child.child_no, status=ChildStatus.SHIPPED, waybill_no=waybill_no, carrier="SF")
    await orders.write(a_write(order_no, 2, children=(state,)))
    return child.child_no


async def test_an_sf_push_moves_a_parcel(pool: Pool, client: Client, orders: OrderStore) -> None:
    order_no, waybill_no = f"SO{secrets.token_hex(6)}", f"SF{secrets.randbelow(10**13):013d}"
    await shipped(orders, order_no, waybill_no)
    order = await record(client, order_no)
    scan = {"id": "1", "mailno": waybill_no, "acceptTime": f"{now():%Y-%m-%d %H:%M:%S}", "opCode": "80"}
    push = {"Body": {"WaybillRoute": [{**scan, "remark": "已签收", "acceptAddress": "上海市"}]}}
    async with running(pool, client, receivers={"sf": SfReceiver([KEY])}) as relay:
        wrong = await relay.http.post("/hooks/sf?key=guess", json=push)
        taken = await relay.http.post(f"/hooks/sf?key={KEY}", json=push)
        seen = await until(lambda: order.query("seen"))
    assert (wrong.status_code, taken.status_code, taken.json()["return_code"]) == (401, 200, "0000")
    assert seen == [[f"sf:{waybill_no}:{Kind.SIGNED}"]]


async def test_a_callback_of_a_described_source_reaches_its_order(
    pool: Pool, client: Client, orders: OrderStore, secret: str
) -> None:
    order_no = f"SO{secrets.token_hex(6)}"
    (child, *_) = (await a_settled_order(orders, order_no)).children
    order = await record(client, order_no)
    receiver = GenericReceiver(load_mapping(EXAMPLE), [secret])
    async with running(pool, client, receivers={receiver.source: receiver}) as relay:
        taken = await relay.http.post("/hooks/acme-wms", **signed(secret, packed(child.child_no)))
        seen = await until(lambda: order.query("seen"))
    assert taken.status_code == 204
    assert seen == [[f"acme-wms:{child.child_no}:{Kind.PACKED}"]]


def packed(child_no: str) -> dict[str, Any]:
    return {"event": "outbound.packed", "happened": "2026-03-02 18:20:00", "order": {"code": child_no}}


def signed(secret: str, told: dict[str, Any]) -> dict[str, Any]:
    """Arguments of a POST as the other system would send it; written here, so that it can disagree with our reading."""
    body, message_id, at = json.dumps(told).encode(), f"msg_{secrets.token_hex(8)}", str(int(now().timestamp()))
    key = base64.b64decode(secret.removeprefix("whsec_"))
    mac = hmac.new(key, f"{message_id}.{at}.".encode() + body, hashlib.sha256).digest()
    headers = {
        "webhook-id": message_id,
        "webhook-timestamp": at,
        "webhook-signature": f"v1,{base64.b64encode(mac).decode()}",
        "content-type": "application/json",
    }
    return {"content": body, "headers": headers}
