"""Customs declarations against the sandbox: parts add up, may be sent again, and are refused where they do not fit."""

from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from dataclasses import replace

import pytest
from pydantic import ValidationError

from activities.customs import DeclareCall
from activities.payment_channels import WechatCustoms
from providers.errors import Refused, Unavailable
from providers.wechat import CustomsPlace, CustomsRequest, WechatPay
from tests.providers.wechat_world import World, payment, world

NO = "ORD-000001"


@asynccontextmanager
async def paid_world(place: CustomsPlace | None = None) -> AsyncIterator[tuple[World, WechatPay, str]]:
    """An order of 129.00 that has been paid, and a client with a customs office."""
    async with world() as w:
        await w.pay.create_native(payment(NO, 12_900))
        transaction = (await w.buyer_pays(NO)).json()["transaction_id"]
        config = replace(w.config, customs=place or CustomsPlace("SHANGHAI_ZS", "310066"))
        yield w, WechatPay(config, w.http, w.clock, lambda: "nonce" * 4), transaction


def part(transaction: str, n: int, product: int, transport: int = 100) -> CustomsRequest:
    return CustomsRequest(
        order_no=NO, transaction_id=transaction, sub_order_no=f"{NO}-0{n}", product_minor=product,
        transport_minor=transport,
    )  # fmt: skip


async def test_each_child_is_declared_with_its_fees_and_sending_it_again_changes_nothing() -> None:
    async with paid_world() as (w, pay, transaction):
        first = await pay.declare_customs(part(transaction, 1, 8_000))
        assert await pay.declare_customs(part(transaction, 1, 8_000)) == first
        await pay.declare_customs(part(transaction, 2, 4_700))
        rows = w.server.box.ledger.find(op="declare")
        assert [row.data["asked"]["order_fee"] for row in rows] == [8_100, 4_800]
        asked = rows[0].data["asked"]
        assert (asked["customs"], asked["merchant_customs_no"]) == ("SHANGHAI_ZS", "310066")
        assert not {"name", "certificate_id"} & set(asked), "nothing personal is sent"


async def test_parts_that_exceed_what_was_paid_are_refused() -> None:
    async with paid_world() as (_, pay, transaction):
        with pytest.raises(Refused, match="more than the order cost"):
            await pay.declare_customs(part(transaction, 1, 12_801))


async def test_a_declaration_that_customs_fail_is_a_refusal_with_its_reason() -> None:
    async with paid_world() as (w, pay, transaction):
        w.arm("declare", "customs_fail")
        with pytest.raises(Refused, match="failure on demand"):
            await pay.declare_customs(part(transaction, 1, 100))


async def test_without_a_customs_office_nothing_is_declared() -> None:
    async with world() as w:
        with pytest.raises(Refused, match="no customs office"):
            await w.pay.declare_customs(part("4200000000", 1, 100))


async def test_declarations_go_to_the_host_of_the_global_api_where_there_is_one() -> None:
    elsewhere = CustomsPlace("SHANGHAI_ZS", "310066", "http://127.0.0.1:9")
    async with paid_world(elsewhere) as (w, pay, transaction):
        with pytest.raises(Unavailable):
            await pay.declare_customs(part(transaction, 1, 100))
        assert (await pay.query(NO)).is_paid and w.rows("declare") == 0


async def test_the_activity_declares_the_child_as_a_part_of_its_order() -> None:
    async with paid_world() as (_, pay, transaction):
        call = DeclareCall(
            backoff_s=(1,), channel="wechat", order_no=NO, transaction_id=transaction, child_no=f"{NO}-01",
            product_fee_minor=100, transport_fee_minor=20,
        )  # fmt: skip
        assert (await WechatCustoms(pay).declare(call)).startswith("15")


def test_an_order_without_a_payment_has_nothing_to_declare() -> None:
    with pytest.raises(ValidationError):
        part("", 1, 100)
