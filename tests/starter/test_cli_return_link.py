"""`oms return link` makes what opens the buyer's page of one order, for as long as it was asked for."""

import asyncio
import json
from datetime import UTC, datetime, timedelta

import pytest
from cryptography.hazmat.primitives.serialization import Encoding, NoEncryption, PrivateFormat

from domain.order import StartOrder
from providers.tokens.issue import SigningKey, key_set, new_key, read_key
from providers.tokens.keys import GivenKeys, read_key_set
from providers.tokens.verify import BuyerLink, Issuer, TokenVerifier
from tests.postgres import database_url
from tests.starter.conftest import Oms
from tests.starter.test_cli_store import Store, paid_order, store

__all__ = ["Store", "database_url", "paid_order", "store"]
CONSOLE = "https://console.example"


@pytest.fixture
def shop(monkeypatch: pytest.MonkeyPatch) -> SigningKey:
    """This machine is a backend."""
    key = read_key(new_key())
    pem = key.private.private_bytes(Encoding.PEM, PrivateFormat.PKCS8, NoEncryption()).decode()
    monkeypatch.setenv("OMS_SERVICE_NAME", "shop-backend")
    monkeypatch.setenv("OMS_SERVICE_PRIVATE_KEY", pem)
    monkeypatch.setenv("OMS_CONSOLE_URL", CONSOLE)
    return key


def read(key: SigningKey, address: str) -> BuyerLink:
    """As the console does."""
    keys = GivenKeys(read_key_set(json.dumps(key_set(key))))
    issuer = Issuer("shop-backend", "oms-approvals", keys, "service", longest_life=timedelta(days=60))
    token = address.strip().removeprefix(f"{CONSOLE}/buyer/")
    return asyncio.run(TokenVerifier([issuer], lambda: datetime.now(UTC)).verify_link(token))


def test_the_link_is_of_the_orders_buyer_and_lives_as_long_as_asked(
    oms: Oms, paid_order: StartOrder, shop: SigningKey
) -> None:
    for words, days in (((), 14), (("--days", "60"), 60)):
        said = oms("return", "link", paid_order.order_no, *words)
        assert said.code == 0, said.err
        link = read(shop, said.out)
        assert (link.order_no, link.buyer_id) == (paid_order.order_no, paid_order.buyer.buyer_id)
        left = link.ends_at - datetime.now(UTC)
        assert timedelta(days=days) - timedelta(minutes=5) < left <= timedelta(days=days)
    assert read(shop, oms("return", "link", paid_order.order_no, "--json").json["link"]).order_no == paid_order.order_no


def test_what_cannot_be_made_says_what_is_missing(
    oms: Oms, paid_order: StartOrder, shop: SigningKey, monkeypatch: pytest.MonkeyPatch
) -> None:
    longer = oms("return", "link", paid_order.order_no, "--days", "61")
    assert longer.code == 2 and longer.out == ""
    nobody = oms("return", "link", "SO-NONE")
    assert nobody.code == 1 and "there is no order 'SO-NONE'" in nobody.err
    monkeypatch.delenv("OMS_SERVICE_NAME")
    said = oms("return", "link", paid_order.order_no)
    assert said.code == 1 and "OMS_SERVICE_NAME" in said.err and said.out == ""
