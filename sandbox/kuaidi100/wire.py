"""Kuaidi100's words on the wire: snapshots, signs, answers (its local time is China's)."""

import hashlib
import json
from collections.abc import Mapping
from datetime import timedelta, timezone
from typing import Any
from urllib.parse import urlencode

from sandbox.core import Delivery
from sandbox.core.courier_route import Scan
from sandbox.kuaidi100.parcels import Parcel

_CHINA = timezone(timedelta(hours=8))
COMPANIES = {
    "shunfeng",
    "yuantong",
    "zhongtong",
    "shentong",
    "yunda",
    "jtexpress",
    "ems",
    "youzhengguonei",
    "jd",
    "debangkuaidi",
}
_BASIC = {"103": "1", "1002": "0", "301": "3", "204": "2", "203": "14"}
"""Advanced code to the basic one above it; basic ones are their own."""
_NAME = {
    "0": "在途",
    "1": "揽收",
    "2": "疑难",
    "3": "签收",
    "4": "退签",
    "5": "派件",
    "6": "退回",
    "7": "转投",
    "14": "拒签",
}


def md5(text: str) -> str:
    return hashlib.md5(text.encode(), usedforsecurity=False).hexdigest().upper()


def compact(value: Mapping[str, Any]) -> str:
    return json.dumps(value, ensure_ascii=False, separators=(",", ":"))


def snapshot(parcel: Parcel, company: str, advanced: bool) -> dict[str, Any]:
    """All scans, newest first; row codes only for those who asked for advanced states."""
    last = parcel.scans[-1].code
    return {
        "message": "ok",
        "state": last if advanced else _BASIC.get(last, last),
        "status": "200",
        "condition": "F00" if parcel.finished else "00",
        "ischeck": "1" if _BASIC.get(last, last) == "3" else "0",
        "com": company,
        "nu": parcel.waybill_no,
        "data": [_row(scan, advanced) for scan in reversed(parcel.scans)],
    }


def push(parcel: Parcel, company: str, advanced: bool) -> dict[str, Any]:
    return {
        "status": "shutdown" if parcel.finished else "polling",
        "billstatus": "check" if parcel.finished else "got",
        "message": "",
        "autoCheck": "0",
        "comOld": "",
        "comNew": "",
        "lastResult": snapshot(parcel, company, advanced),
    }


def render(delivery: Delivery, salt: str) -> tuple[Mapping[str, str], bytes]:
    param = compact(delivery.payload)
    if delivery.fault == "bad_signature" and delivery.attempt == 0:
        salt += "?"
    form = urlencode({"sign": md5(param + salt), "param": param}).encode()
    return {"content-type": "application/x-www-form-urlencoded; charset=UTF-8"}, form


def taken(status: int, body: bytes) -> bool:
    """Kuaidi100 reads the body, not the HTTP status alone."""
    try:
        answer = json.loads(body)
    except ValueError:
        return False
    return status == 200 and isinstance(answer, dict) and answer.get("result") is True


def _row(scan: Scan, advanced: bool) -> dict[str, str]:
    local = f"{scan.at.astimezone(_CHINA):%Y-%m-%d %H:%M:%S}"
    row = {"time": local, "ftime": local, "context": scan.text}
    if advanced:
        row |= {"status": _NAME.get(_BASIC.get(scan.code, scan.code), ""), "statusCode": scan.code}
        row |= {"areaCode": "", "areaName": "", "location": ""}
    return row
