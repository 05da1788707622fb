"""The sandbox's own promises: WeChat's retry schedule, callbacks under faults, and books that outlive the process."""

import asyncio
import json
import sys
from collections.abc import Callable
from pathlib import Path

from domain.facts import Kind
from providers.callbacks import CallbackRefused, RawRequest
from providers.wechat import WechatReceiver
from sandbox.core import Ledger, serve
from sandbox.core.settings import utc_now
from sandbox.wechat.server import SCHEDULE_S
from tests.providers.wechat_world import config, payment, refund, world
from tests.sandbox.callback_sink import CallbackSink, until

NO = "ORD-000001"
FAST = 10_000_000.0


def ended(ledger: Ledger, count: int = 1) -> Callable[[], bool]:
    return lambda: len(ledger.find(op="callback_end")) >= count


async def test_unanswered_callback_is_repeated_fifteen_times_over_a_day() -> None:
    sink = CallbackSink(usual=(500, b"no"))
    async with serve(sink.app()) as target, world(notify_url=f"{target}/hook", speed=FAST) as w:
        await w.pay.create_native(payment())
        await w.buyer_pays(NO)
        await until(ended(w.server.box.ledger))
        attempts = w.server.box.ledger.find(op="callback_attempt")
    waits = [a.data["wait_s"] for a in attempts]
    assert waits == [0, 15, 15, 30, 180, 600, 1200, 1800, 1800, 1800, 3600, 10800, 10800, 10800, 21600, 21600]
    assert sum(SCHEDULE_S) == 24 * 3600 + 4 * 60
    assert len({json.loads(g.body)["id"] for g in sink.got}) == 1
    assert len({g.headers["wechatpay-nonce"] for g in sink.got}) == 16


async def test_callbacks_of_payment_and_refund_are_believed_by_our_receiver() -> None:
    sink = CallbackSink()
    async with serve(sink.app()) as target, world(notify_url=f"{target}/hook") as w:
        await w.pay.create_native(payment())
        await w.buyer_pays(NO)
        await w.pay.refund(refund())
        await until(ended(w.server.box.ledger, 2))
        receiver = WechatReceiver(config())
        read = [receiver.read(RawRequest(g.headers, {}, g.body), w.clock.now) for g in sink.got]
    assert {c.facts[0].kind for c in read} == {Kind.PAYMENT_SUCCEEDED, Kind.REFUND_SUCCEEDED}


async def test_certificate_mode_callbacks_are_believed_with_downloaded_keys() -> None:
    sink = CallbackSink()
    async with serve(sink.app()) as target, world(certificates=True, notify_url=f"{target}/hook") as w:
        await w.pay.create_native(payment())
        await w.buyer_pays(NO)
        await until(ended(w.server.box.ledger))
        (got,) = sink.got
        callback = WechatReceiver(w.config, w.pay.keys).read(RawRequest(got.headers, {}, got.body), w.clock.now)
    assert callback.facts[0].order_no == NO


async def test_badly_signed_callback_comes_again_well_signed() -> None:
    sink = CallbackSink()
    sink.answers = [(401, b"")]
    async with serve(sink.app()) as target, world(notify_url=f"{target}/hook", speed=FAST) as w:
        w.arm("callback", "bad_signature")
        await w.pay.create_native(payment())
        await w.buyer_pays(NO)
        await until(ended(w.server.box.ledger))
        reasons = []
        for got in sink.got:
            try:
                WechatReceiver(config()).read(RawRequest(got.headers, {}, got.body), w.clock.now)
                reasons.append("")
            except CallbackRefused as e:
                reasons.append(e.reason)
    assert reasons == ["signature", ""]


async def test_wrong_amount_in_a_callback_is_not_what_the_query_says() -> None:
    sink = CallbackSink()
    async with serve(sink.app()) as target, world(notify_url=f"{target}/hook") as w:
        w.arm("callback", "wrong_amount")
        await w.pay.create_native(payment())
        await w.buyer_pays(NO)
        await until(ended(w.server.box.ledger))
        (got,) = sink.got
        (fact,) = WechatReceiver(config()).read(RawRequest(got.headers, {}, got.body), w.clock.now).facts
        assert (fact.amount_minor, (await w.pay.query(NO)).amount_minor) == (12901, 12900)


async def test_lost_callback_leaves_only_the_query() -> None:
    sink = CallbackSink()
    async with serve(sink.app()) as target, world(notify_url=f"{target}/hook") as w:
        w.arm("callback", "lost_callback")
        await w.pay.create_native(payment())
        await w.buyer_pays(NO)
        await until(ended(w.server.box.ledger))
        assert sink.got == []
        assert (await w.pay.query(NO)).is_paid


async def test_books_and_unfinished_refunds_survive_a_restart(tmp_path: Path) -> None:
    sink = CallbackSink()
    async with serve(sink.app()) as target:
        url = f"{target}/hook"
        async with world(notify_url=url, data_dir=tmp_path, refund_delay_s=10**9) as w:
            await w.pay.create_native(payment())
            await w.pay.create_native(payment("ORD-000002"))
            await w.pay.close("ORD-000002")
            await w.buyer_pays(NO)
            await w.pay.refund(refund())
            before = await w.pay.query(NO)
            await until(ended(w.server.box.ledger))
        async with world(notify_url=url, data_dir=tmp_path) as w:
            assert await w.pay.query(NO) == before
            assert (await w.pay.query("ORD-000002")).trade_state == "CLOSED"
            await until(ended(w.server.box.ledger, 2))
            assert (await w.pay.query_refund("R-1")).status == "SUCCESS"
            assert [r.op for r in w.server.box.ledger.find(key="R-1")] == ["refund", "refund_end"]
            await w.pay.refund(refund())
            assert w.rows("refund") == 1
    assert len(sink.got) == 2


def test_journal_names_every_move_of_money(tmp_path: Path) -> None:
    async def play() -> None:
        async with world(data_dir=tmp_path) as w:
            await w.pay.create_native(payment())
            await w.buyer_pays(NO)
            await w.pay.refund(refund())
            await until(lambda: w.rows("refund_end") == 1)

    asyncio.run(play())
    ledger = Ledger(tmp_path / "wechat.jsonl", utc_now)
    money = [(r.op, r.order_no, r.amount_minor) for r in ledger.rows if r.op in ("create", "capture", "refund")]
    ledger.close()
    assert money == [("create", NO, 12900), ("capture", NO, 12900), ("refund", NO, 100)]


async def test_process_says_which_setting_is_missing() -> None:
    process = await asyncio.create_subprocess_exec(
        sys.executable, "-m", "sandbox", "wechat", stderr=asyncio.subprocess.PIPE, env={}
    )
    _, err = await asyncio.wait_for(process.communicate(), 60)
    assert process.returncode == 2
    assert b"SANDBOX_WECHAT_" in err
