"""python-alipay-sdk, unchanged: argument: the file with what the sandbox is. Runs where only the SDK is installed."""

import json
import sys
import time
import urllib.request
from pathlib import Path
from urllib.parse import parse_qsl

from alipay import AliPay

told = json.loads(Path(sys.argv[1]).read_text(encoding="utf-8"))
no = told["no"]
pay = AliPay(
    appid=told["app_id"], app_notify_url=told["notify_url"], app_private_key_string=told["private_key"],
    alipay_public_key_string=told["platform_key"], sign_type="RSA2",
)  # fmt: skip
pay._gateway = told["url"] + "/gateway.do"


def step(name: str, fits: bool, answer: object) -> None:
    print(f"ok {name}" if fits else f"WRONG {name}: {answer}", flush=True)


def post(path: str, **asked: object) -> None:
    request = urllib.request.Request(told["url"] + path, json.dumps(asked).encode())
    urllib.request.urlopen(request).read()


answer = pay.api_alipay_trade_precreate(subject="two cups", out_trade_no=no, total_amount="195.80")
step("create", "qr_code" in answer, answer)
post("/_pay", out_trade_no=no)
by_no = pay.api_alipay_trade_query(out_trade_no=no)
step(
    "query by out_trade_no",
    (by_no.get("trade_status"), by_no.get("total_amount")) == ("TRADE_SUCCESS", "195.80"),
    by_no,
)
by_id = pay.api_alipay_trade_query(trade_no=by_no["trade_no"])
step("query by trade_no", by_id.get("out_trade_no") == no, by_id)
back = pay.api_alipay_trade_refund(refund_amount="45.80", trade_no=by_no["trade_no"], out_request_no="R-1")
step("refund by trade_no", (back.get("fund_change"), back.get("refund_fee")) == ("Y", "45.80"), back)
found = pay.api_alipay_trade_fastpay_refund_query("R-1", out_trade_no=no)
step("query refund", found.get("refund_status") == "REFUND_SUCCESS", found)
for _ in range(100):
    notices = sorted(Path(told["notices"]).glob("*.json"))
    if len(notices) >= 2:
        break
    time.sleep(0.1)
for notice in notices:
    fields = dict(parse_qsl(json.loads(notice.read_text(encoding="utf-8"))["body"], keep_blank_values=True))
    signature = fields.pop("sign")
    kind = "refund" if "gmt_refund" in fields else "payment"
    step(f"notice of the {kind}", pay.verify(dict(fields), signature), fields)
    forged = {**fields, "total_amount": "0.01"}
    step(f"a forged notice of the {kind} is not believed", not pay.verify(forged, signature), forged)
step("both notices came", len(notices) >= 2, len(notices))
