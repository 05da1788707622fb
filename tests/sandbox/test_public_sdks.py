"""What public SDKs send and read, whatever they are installed with; with the SDKs themselves: `make oracles`."""

import asyncio
import base64
import json
from datetime import UTC, datetime, timedelta
from typing import Any
from urllib.parse import urlencode, urlsplit

import pytest
from cryptography.hazmat.primitives.asymmetric.padding import PKCS1v15
from cryptography.hazmat.primitives.hashes import SHA256
from wechatpayv3 import WeChatPay, WeChatPayType

from tests.providers import alipay_world, wechat_world
from tests.providers.wechat_world import key, private_pem, public_pem


async def test_wechats_headers_are_written_as_the_real_one_writes_them() -> None:
    """wechatpay-java 0.2.17 looks them up by their exact name (core/http/HttpHeaders)."""
    async with wechat_world.world() as w:
        at = urlsplit(w.url)
        reader, writer = await asyncio.open_connection(at.hostname, at.port)
        writer.write(b"GET /v3/certificates HTTP/1.1\r\nhost: x\r\nconnection: close\r\n\r\n")
        answer = (await reader.read()).decode()
        writer.close()
    for name in ("Timestamp", "Nonce", "Signature", "Serial", "Signature-Type"):
        assert f"\r\nWechatpay-{name}: " in answer


async def test_an_order_without_a_currency_is_found_and_refunded_by_wechats_own_number() -> None:
    async with wechat_world.world() as w:
        w.clock.now = datetime.now(UTC)

        def play() -> list[Any]:
            pay = WeChatPay(
                wechatpay_type=WeChatPayType.NATIVE, mchid=wechat_world.MCHID, private_key=private_pem("merchant"),
                cert_serial_no=wechat_world.SERIAL, apiv3_key=wechat_world.APIV3_KEY, appid=wechat_world.APPID,
                notify_url="https://shop.example/hook", public_key=public_pem("platform"),
                public_key_id=wechat_world.PLATFORM_ID,
            )  # fmt: skip
            pay._core._gate_way = w.url
            told = [pay.pay(description="cups", out_trade_no="OR-0001", amount={"total": 12900}, attach="from the app")]
            asyncio.run_coroutine_threadsafe(w.buyer_pays("OR-0001"), loop).result(10)
            told.append(pay.query(out_trade_no="OR-0001"))
            transaction = json.loads(told[1][1])["transaction_id"]
            told.append(pay.query(transaction_id=transaction))
            amount = {"refund": 900, "total": 12900, "currency": "CNY"}
            return [*told, pay.refund(out_refund_no="R-1", transaction_id=transaction, amount=amount)]

        loop = asyncio.get_running_loop()
        answers = await asyncio.to_thread(play)
    assert [code for code, _ in answers] == [200] * 4, answers
    trade, by_id, back = (json.loads(text) for _, text in answers[1:])
    assert (trade["attach"], trade["amount"]["currency"], by_id) == ("from the app", "CNY", trade)
    assert trade["success_time"].endswith("+08:00")
    assert (back["funds_account"], back["amount"]["settlement_refund"]) == ("AVAILABLE", 900)


def signed(w: alipay_world.World, method: str, content: dict[str, Any], **more: str) -> dict[str, str]:
    """As python-alipay-sdk 3.4.0 signs it: without `format`."""
    beijing = (w.clock.now + timedelta(hours=8)).strftime("%Y-%m-%d %H:%M:%S")
    asked = {
        "app_id": alipay_world.APP_ID, "method": method, "charset": "utf-8", "sign_type": "RSA2", "version": "1.0",
        "timestamp": beijing, "biz_content": json.dumps(content), **more,
    }  # fmt: skip
    text = "&".join(f"{name}={asked[name]}" for name in sorted(asked))
    signature = key("merchant").sign(text.encode(), PKCS1v15(), SHA256())
    return {**asked, "sign": base64.b64encode(signature).decode()}


@pytest.mark.parametrize("verb", ["GET", "POST"])
async def test_alipays_gateway_is_asked_by_get_or_post_without_a_format_and_by_its_own_number(verb: str) -> None:
    async with alipay_world.world() as w:

        async def ask(method: str, **content: Any) -> Any:
            asked = signed(w, method, content, notify_url="https://shop.example/hook")
            if verb == "GET":
                answer = await w.http.get(f"{w.url}/gateway.do?{urlencode(asked)}")
            else:
                answer = await w.http.post(f"{w.url}/gateway.do", data=asked)
            return json.loads(answer.text)[f"{method.replace('.', '_')}_response"]

        no = alipay_world.NO
        assert (await ask("alipay.trade.precreate", out_trade_no=no, total_amount="129.00", subject="cups"))["qr_code"]
        await w.http.post(f"{w.url}/_pay", json={"out_trade_no": no})
        trade = await ask("alipay.trade.query", out_trade_no=no)
        assert (await ask("alipay.trade.query", trade_no=trade["trade_no"])) == trade
        back = await ask("alipay.trade.refund", trade_no=trade["trade_no"], refund_amount="129.00")
        assert (back["code"], back["refund_fee"]) == ("10000", "129.00"), "a whole refund needs no number of its own"
