"""The sandbox's own promises: Alipay's retry schedule, notifications under faults, books that outlive the process."""

import asyncio
import json
import sys
from collections.abc import Callable
from pathlib import Path
from urllib.parse import parse_qs

from domain.facts import Kind
from providers.alipay import AlipayReceiver
from providers.alipay.signing import AlipayKey
from providers.callbacks import Callback, CallbackRefused, RawRequest
from sandbox.alipay.server import SCHEDULE_S
from sandbox.core import Ledger, serve
from sandbox.core.settings import utc_now
from tests.providers.alipay_world import NO, World, config, payment, refund, world
from tests.providers.wechat_world import public_pem
from tests.sandbox.callback_sink import CallbackSink, Got, until

FAST = 10_000_000.0


def sink_of(*first: tuple[int, bytes]) -> CallbackSink:
    sink = CallbackSink(usual=(200, b"success"))
    sink.answers = list(first)
    return sink


def ended(ledger: Ledger, count: int = 1) -> Callable[[], bool]:
    return lambda: len(ledger.find(op="callback_end")) >= count


def read(got: Got, w: World) -> Callback:
    return AlipayReceiver(config()).read(RawRequest(got.headers, {}, got.body), w.clock.now)


async def test_notification_answered_otherwise_than_success_is_repeated_seven_times_over_a_day() -> None:
    sink = CallbackSink(usual=(200, b"SUCCESS"))
    async with serve(sink.app()) as target, world(notify_url=f"{target}/hook", speed=FAST) as w:
        await w.paid()
        await until(ended(w.server.box.ledger))
        attempts = w.server.box.ledger.find(op="callback_attempt")
        ids = {read(got, w).event_id for got in sink.got}
    assert [a.data["wait_s"] for a in attempts] == [0, 240, 600, 600, 3600, 7200, 21600, 54000]
    assert sum(SCHEDULE_S) == 24 * 3600 + 24 * 60
    assert len(ids) == 1


async def test_notifications_of_payment_and_refunds_are_believed_by_our_receiver() -> None:
    sink = sink_of()
    async with serve(sink.app()) as target, world(notify_url=f"{target}/hook", announce_closed=True) as w:
        await w.paid()
        await w.pay.refund(refund("R-1", 900))
        await w.pay.refund(refund("R-2", 12000))
        await until(ended(w.server.box.ledger, 3))
        notices = sorted((read(got, w) for got in sink.got), key=lambda c: (c.kind != "TRADE_SUCCESS", len(c.facts)))
        trade = await w.pay.query(NO)
    assert [c.kind for c in notices] == ["TRADE_SUCCESS", "TRADE_SUCCESS", "TRADE_CLOSED"]
    assert [[f.kind for f in c.facts] for c in notices] == [
        [Kind.PAYMENT_SUCCEEDED],
        [Kind.PAYMENT_SUCCEEDED, Kind.REFUND_SUCCEEDED],
        [Kind.REFUND_SUCCEEDED],
    ]
    assert {f.key for c in notices for f in c.facts} == {
        f"alipay:pay:{trade.transaction_id}",
        "alipay:refund:R-1:SUCCESS",
        "alipay:refund:R-2:SUCCESS",
    }


async def test_full_refund_is_not_announced_unless_asked_for() -> None:
    sink = sink_of()
    async with serve(sink.app()) as target, world(notify_url=f"{target}/hook") as w:
        await w.paid()
        await w.pay.refund(refund("R-1", 12900))
        await until(ended(w.server.box.ledger))
        assert w.rows("callback") == 1


async def test_badly_signed_notification_comes_again_well_signed() -> None:
    sink = sink_of((401, b"fail"))
    async with serve(sink.app()) as target, world(notify_url=f"{target}/hook", speed=FAST) as w:
        w.arm("callback", "bad_signature")
        await w.paid()
        await until(ended(w.server.box.ledger))
        reasons = []
        for got in sink.got:
            try:
                read(got, w)
                reasons.append("")
            except CallbackRefused as e:
                reasons.append(e.reason)
    assert reasons == ["signature", ""]


async def test_wrong_amount_in_a_notification_is_not_what_the_query_says() -> None:
    sink = sink_of()
    async with serve(sink.app()) as target, world(notify_url=f"{target}/hook") as w:
        w.arm("callback", "wrong_amount")
        await w.paid()
        await until(ended(w.server.box.ledger))
        (fact,) = read(sink.got[0], w).facts
        assert (fact.amount_minor, (await w.pay.query(NO)).amount_minor) == (12901, 12900)


async def test_lost_notification_leaves_only_the_query() -> None:
    sink = sink_of()
    async with serve(sink.app()) as target, world(notify_url=f"{target}/hook") as w:
        w.arm("callback", "lost_callback")
        await w.paid()
        await until(ended(w.server.box.ledger))
        assert sink.got == []
        assert (await w.pay.query(NO)).is_paid


async def test_replies_escape_slashes_and_are_signed_over_their_raw_text() -> None:
    async with world() as w:
        inner = w.server.seal.reply(
            "alipay.trade.precreate", {"qr_code": "https://qr.alipay.com/x"}, signed=True
        ).decode()
        raw = inner.partition(":")[2].partition(',"sign"')[0]
        sign = json.loads(inner)["sign"]
    alipay = AlipayKey.load("x", public_pem("platform"))
    assert raw == '{"qr_code":"https:\\/\\/qr.alipay.com\\/x"}'
    assert alipay.fits(raw.encode(), sign)
    assert not alipay.fits(json.dumps(json.loads(raw), separators=(",", ":")).encode(), sign)


async def test_notification_form_is_signed_without_sign_type() -> None:
    async with world() as w:
        fields = {
            name: values[0] for name, values in parse_qs(w.server.seal.form({"b": "两 件", "a": "1"}).decode()).items()
        }
    assert fields["sign_type"] == "RSA2"
    assert AlipayKey.load("x", public_pem("platform")).fits("a=1&b=两 件".encode(), fields["sign"])


async def test_shop_may_create_the_code_itself() -> None:
    async with world() as w:
        await w.buyer_pays("SHOP-0001", amount_minor=7, notify_url="http://127.0.0.1:9/x")
        assert (await w.pay.query("SHOP-0001")).amount_minor == 7


async def test_buyer_at_a_wrong_door_is_told_so() -> None:
    async with world() as w:
        for door in ("_scan", "_pay"):
            for body in (b"", b"[]", b"{}", b'{"out_trade_no":"ORD-404404"}'):
                assert (await w.http.post(f"{w.url}/{door}", content=body)).status_code == 400


async def test_books_and_pending_refunds_survive_a_restart(tmp_path: Path) -> None:
    sink = sink_of()
    async with serve(sink.app()) as target:
        url = f"{target}/hook"
        async with world(notify_url=url, data_dir=tmp_path, refund_delay_s=10**9) as w:
            await w.paid()
            await w.pay.create_qr(payment("ORD-000002"))
            await w.buyer_scans("ORD-000002")
            await w.pay.close("ORD-000002")
            w.arm("refund", "pending")
            await w.pay.refund(refund())
            before = await w.pay.query(NO)
            await until(ended(w.server.box.ledger))
        async with world(notify_url=url, data_dir=tmp_path) as w:
            assert await w.pay.query(NO) == before
            assert (await w.pay.query("ORD-000002")).trade_state == "TRADE_CLOSED"
            await until(ended(w.server.box.ledger, 2))
            assert (await w.pay.query_refund(NO, "R-1")).status == "SUCCESS"
            assert [r.op for r in w.server.box.ledger.find(key="R-1")] == ["refund", "refund_end"]
            assert (await w.pay.refund(refund())).status == "PROCESSING"
            assert w.rows("refund") == 1
    assert len(sink.got) == 2


def test_journal_names_every_move_of_money(tmp_path: Path) -> None:
    async def play() -> None:
        async with world(data_dir=tmp_path) as w:
            await w.paid()
            await w.pay.refund(refund())

    asyncio.run(play())
    ledger = Ledger(tmp_path / "alipay.jsonl", utc_now)
    money = [(r.op, r.order_no, r.amount_minor) for r in ledger.rows if not r.op.startswith("callback")]
    ledger.close()
    assert money == [
        ("create", NO, 12900),
        ("scan", NO, 12900),
        ("capture", NO, 12900),
        ("refund", NO, 100),
        ("refund_end", NO, 100),
    ]


async def test_process_says_which_setting_is_missing() -> None:
    process = await asyncio.create_subprocess_exec(
        sys.executable, "-m", "sandbox", "alipay", stderr=asyncio.subprocess.PIPE, env={}
    )
    _, err = await asyncio.wait_for(process.communicate(), 60)
    assert process.returncode == 2
    assert b"SANDBOX_ALIPAY_" in err
