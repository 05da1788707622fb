"""Trade bills of both channels: what the sandboxes serve is read whole, line by line, and nothing else is believed."""

import hashlib
import io
import zipfile
from collections.abc import AsyncIterator, Callable
from datetime import date

import httpx
import pytest

from domain.facts import Kind
from providers import bills
from providers.alipay.bills import trade_bill as alipay_bill
from providers.bills import Bill, BillLine, UnreadableBill
from providers.errors import ProviderError, Refused
from providers.wechat.bills import trade_bill as wechat_bill
from tests.providers import alipay_world, wechat_world
from tests.providers.wechat_world import MCHID
from tests.sandbox.callback_sink import until

DAY = date(2026, 3, 1)
HEAD = "交易时间,公众账号ID,商户号,微信订单号,商户订单号,交易状态,商户退款单号,退款状态,商品名称,订单金额,申请退款金额"
PAID = f"`2026-03-01 10:00:00,`wx1,`{MCHID},`4200001,`ORD-000001,`SUCCESS,`0,`,`两件,`商品,`129.00,`0.00"
ALI_HEAD = "支付宝交易号,商户订单号,业务类型,商品名称,创建时间,完成时间,订单金额（元）,退款批次号/请求号,备注"
ALI_PAID = "2026A\t,ORD-000001\t,交易,两件,商品,2026-03-01 09:59:00,2026-03-01 10:00:00,129.00,,"


async def read(bill: Bill) -> list[BillLine]:
    return [line async for batch in bill for line in batch]


def told(lines: list[BillLine]) -> list[tuple[str, str | None, int | None, bool]]:
    return [(line.fact.key, line.fact.order_no, line.fact.amount_minor, line.is_final) for line in lines]


async def test_what_the_channel_took_and_gave_back_on_a_day_is_in_its_bill_under_the_keys_of_its_callbacks() -> None:
    async with wechat_world.world(refund_delay_s=0.0) as w:
        await w.pay.create_native(wechat_world.payment())
        await w.buyer_pays("ORD-000001")
        number = (await w.pay.query("ORD-000001")).transaction_id
        await w.pay.refund(wechat_world.refund("R-1", 900))
        w.arm("refund", "closed")
        w.clock.move(120)
        await w.pay.refund(wechat_world.refund("R-2", 100))
        await until(lambda: w.rows("refund_end") == 2)
        w.clock.move(86_400)
        lines = await read(w.pay.trade_bill(DAY))
    assert told(lines) == [
        (f"wechat:pay:{number}", "ORD-000001", 12_900, True), ("wechat:refund:R-1:SUCCESS", "ORD-000001", 900, True),
    ], "a refund that has come to nothing moves no money"  # fmt: skip
    assert [line.fact.kind for line in lines] == [Kind.PAYMENT_SUCCEEDED, Kind.REFUND_SUCCEEDED]


async def test_alipays_bill_is_read_out_of_its_zip() -> None:
    async with alipay_world.world() as w:
        await w.paid()
        trade = await w.pay.query(alipay_world.NO)
        await w.pay.refund(alipay_world.refund("R-1", 900))
        w.clock.move(86_400)
        lines = await read(w.pay.trade_bill(DAY))
    assert told(lines) == [
        (f"alipay:pay:{trade.transaction_id}", alipay_world.NO, 12_900, True),
        ("alipay:refund:R-1:SUCCESS", alipay_world.NO, 900, True),
    ]


async def test_a_day_without_trades_has_an_empty_bill_and_one_that_is_not_over_none() -> None:
    async with wechat_world.world() as w, alipay_world.world() as a:
        for pay, clock in ((w.pay, w.clock), (a.pay, a.clock)):
            with pytest.raises(Refused):
                await read(pay.trade_bill(DAY))
            clock.move(86_400)
            assert await read(pay.trade_bill(DAY)) == []


async def test_a_bill_of_another_hash_is_not_believed() -> None:
    async with wechat_world.world() as w:
        await w.pay.create_native(wechat_world.payment())
        await w.buyer_pays("ORD-000001")
        w.clock.move(86_400)
        w.arm("tradebill", "wrong_hash")
        with pytest.raises(UnreadableBill, match="vouched"):
            await read(w.pay.trade_bill(DAY))
        assert len(await read(w.pay.trade_bill(DAY))) == 1


class Vouched:
    """WeChat's reply and file, without its server. `address`: of the file."""

    def __init__(self, content: bytes, address: str = "") -> None:
        self.content, self.address = content, address

    async def read(self, model: type, *_args: object) -> object:
        digest = hashlib.sha1(self.content, usedforsecurity=False).hexdigest()
        return model.model_validate({"hash_type": "SHA1", "hash_value": digest, "download_url": "x"})  # type: ignore[attr-defined]

    async def download(self, *_args: object, **_how: object) -> AsyncIterator[bytes]:
        for at in range(0, len(self.content), 7):
            yield self.content[at : at + 7]


async def wechat(text: str) -> list[BillLine]:
    return await read(wechat_bill(Vouched(text.encode()), MCHID, DAY))  # type: ignore[arg-type]


async def alipay(text: str, name: str = "1_业务明细.csv") -> list[BillLine]:
    packed = io.BytesIO()
    with zipfile.ZipFile(packed, "w") as files:
        files.writestr(name, text.encode("gbk"))
    return await alipay_file(packed.getvalue())


async def alipay_file(content: bytes, address: str = "https://dwbillcenter.alipay.com/x") -> list[BillLine]:
    class Named:
        async def call(self, model: type, *_args: object) -> object:
            return model.model_validate({"bill_download_url": address})  # type: ignore[attr-defined]

    def answer(request: httpx.Request) -> httpx.Response:
        assert request.url.scheme == "https"
        return httpx.Response(200, content=content)

    async with httpx.AsyncClient(transport=httpx.MockTransport(answer)) as http:
        return await read(alipay_bill(Named(), alipay_world.config(), http, DAY))  # type: ignore[arg-type]


async def test_a_merchants_own_text_moves_no_column() -> None:
    (line,) = await wechat(f"\ufeff{HEAD}\r\n{PAID}\r\n总交易单数\r\n`1\r\n")
    assert told([line]) == [("wechat:pay:4200001", "ORD-000001", 12_900, True)]
    (line,) = await alipay(f"#x\r\n{ALI_HEAD}\r\n{ALI_PAID}\r\n")
    assert told([line]) == [("alipay:pay:2026A", "ORD-000001", 12_900, True)]


@pytest.mark.parametrize(
    ("way", "text"),
    [
        (wechat, HEAD.replace("订单金额", "金额")),
        (wechat, f"{HEAD}\n{PAID.replace(MCHID, '1900000002')}"),
        (wechat, f"{HEAD}\n{PAID.replace('129.00', '1e3')}"),
        (wechat, f"{HEAD}\n`2026-03-01 10:00:00,`wx1"),
        (wechat, f"{HEAD}\n`" + "x" * 30_000),
        (alipay, ALI_HEAD.replace("业务类型", "类型")),
        (alipay, "#nothing"),
        (alipay, f"{ALI_HEAD}\n2026A,ORD-000001,交易,x,yesterday,129.00"),
    ],
)
async def test_what_is_not_as_documented_is_refused_whole(
    way: Callable[[str], "AsyncIterator[list[BillLine]]"], text: str
) -> None:
    with pytest.raises(UnreadableBill):
        await way(text)  # type: ignore[misc]


async def test_a_bill_lies_at_its_channel_and_nowhere_else() -> None:
    with pytest.raises(UnreadableBill, match="no host of Alipay"):
        await alipay_file(b"", "https://alipay.com.evil.example/x")
    async with wechat_world.world() as w:
        with pytest.raises(ProviderError, match="no host of WeChat"):
            async for _ in w.pay._transport.download("https://evil.example/x", most_bytes=1, deadline_s=1):
                pass


async def test_a_bill_without_an_end_is_not_read_to_it(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(bills, "MOST_BYTES", 1_000)
    with pytest.raises(UnreadableBill):
        await alipay(f"{ALI_HEAD}\n" + f"{ALI_PAID}\n" * 100)
    for content in (b"no zip", b""):
        with pytest.raises(UnreadableBill):
            await alipay_file(content)
    async with wechat_world.world() as w:
        for no in ("ORD-000001", "ORD-000002"):
            await w.pay.create_native(wechat_world.payment(no))
            await w.buyer_pays(no)
        w.clock.move(86_400)
        with pytest.raises(ProviderError, match="longer than 1000"):
            await read(w.pay.trade_bill(DAY))


async def test_a_file_that_is_not_there_is_asked_for_again() -> None:
    async with wechat_world.world() as w:
        w.arm("tradebill", "error_before")
        w.clock.move(86_400)
        with pytest.raises(ProviderError) as failed:
            await read(w.pay.trade_bill(DAY))
        assert not isinstance(failed.value, Refused)
