"""wechatpayv3, unchanged: argument: the file with what the sandbox is. Runs where only the SDK is installed."""

import json
import sys
import time
import urllib.request
from pathlib import Path

from wechatpayv3 import WeChatPay, WeChatPayType

told = json.loads(Path(sys.argv[1]).read_text(encoding="utf-8"))


def client(no: str, **more: object) -> WeChatPay:
    made = WeChatPay(
        wechatpay_type=WeChatPayType.NATIVE, mchid=told["mchid"], private_key=told["private_key"],
        cert_serial_no=told["serial"], apiv3_key=told["apiv3_key"], appid=told["appid"],
        notify_url=told["notify_url"], public_key=told["platform_key"], public_key_id=told["platform_id"], **more,
    )  # fmt: skip
    made._core._gate_way = told["url"]
    return made


def step(name: str, fits: bool, answer: object) -> None:
    print(f"ok {name}" if fits else f"WRONG {name}: {answer}", flush=True)


no = told["no"]
pay = client(no)
code, answer = pay.pay(description="two cups", out_trade_no=no, amount={"total": 19580}, attach="from the app")
step("create, without a currency", code == 200 and "code_url" in answer, answer)
request = urllib.request.Request(told["url"] + "/_pay", json.dumps({"out_trade_no": no}).encode())
urllib.request.urlopen(request).read()
code, answer = pay.query(out_trade_no=no)
trade = json.loads(answer)
fits = (trade.get("trade_state"), trade.get("attach"), trade["amount"]["currency"]) == (
    "SUCCESS",
    "from the app",
    "CNY",
)
step("query by out_trade_no", code == 200 and fits, answer)
step("times are Beijing's", trade["success_time"].endswith("+08:00"), trade)
code, answer = pay.query(transaction_id=trade["transaction_id"])
step("query by transaction_id", code == 200 and json.loads(answer)["out_trade_no"] == no, answer)
code, answer = pay.refund(
    out_refund_no=f"{no}-1", transaction_id=trade["transaction_id"], notify_url=told["notify_url"],
    amount={"refund": 4580, "total": 19580, "currency": "CNY"},
)  # fmt: skip
back = json.loads(answer)
fits = code == 200 and back.get("funds_account") == "AVAILABLE" and back["amount"].get("settlement_refund") == 4580
step("refund by transaction_id", fits, answer)
for _ in range(100):
    notices = sorted(Path(told["notices"]).glob("*.json"))
    if len(notices) >= 2:
        break
    time.sleep(0.1)
code, answer = pay.query_refund(f"{no}-1")
step("query refund", code == 200 and json.loads(answer)["status"] == "SUCCESS", answer)
for notice in notices:
    sent = json.loads(notice.read_text(encoding="utf-8"))
    read = pay.callback(sent["headers"], sent["body"])
    kind = (read or {}).get("event_type", "nothing")
    step(f"notice {kind}", bool(read) and read["resource"]["out_trade_no"] == no, sent)
    step(f"a forged notice {kind} is not believed", not pay.callback(sent["headers"], sent["body"] + " "), sent)
step("both notices came", len(notices) >= 2, len(notices))
