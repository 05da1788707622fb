"""The HTTP side: SF's one address for all services, and the addresses that open the parcels' world."""

import hmac
import json
from collections.abc import Callable
from typing import Any
from urllib.parse import parse_qsl

from starlette.applications import Starlette
from starlette.requests import Request
from starlette.responses import JSONResponse, Response
from starlette.routing import Route

from sandbox.core import Sandbox, Settings
from sandbox.core.courier_route import Parcel
from sandbox.sf.courier import Courier
from sandbox.sf.desk import WaybillDesk
from sandbox.sf.parcels import Parcels, order_of
from sandbox.sf.wire import address, digest, render, taken, turned_away

SCHEDULE_S = (600, 600, 600, 600, 600, 600)
"""Ten minutes apart, as in SF's own sandbox; for how long production goes on is not written."""
_FIELDS = ("partnerID", "requestID", "serviceCode", "timestamp", "msgDigest", "msgData")
_STALE_S = 600.0
Work = Callable[[dict[str, Any]], Response]


def create_app(settings: Settings) -> Starlette:
    return Sf(settings).app()


class Sf:
    def __init__(self, settings: Settings) -> None:
        self._partner_id, self._check_word = settings.need("PARTNER_ID"), settings.need("CHECK_WORD")
        push_key = settings.get("PUSH_KEYS").partition(",")[0]
        stages = tuple(float(s) for s in settings.get("STAGES_S", "60,600,1800,1800").split(","))
        self._box = Sandbox(
            "sf",
            settings,
            schedule=SCHEDULE_S,
            render=render,
            accepted=taken,
            address=lambda delivery, _body: address(delivery, push_key),
            fail=lambda status: turned_away("A1099", "系统异常", http_status=status),
            own_faults={
                "busy",
                "system_error",
                "address_not_served",
                "exception",
                "refused",
                "lost_parcel",
                "bad_signature",
            },
        )
        self._parcels = Parcels(self._box.ledger)
        self._courier = Courier(self._box, self._parcels, stages, settings.get("CALLBACK_URL"))
        desk = WaybillDesk(self._box, self._parcels)
        self._services: dict[str, tuple[str, Work]] = {
            "EXP_RECE_CREATE_ORDER": ("book", desk.book),
            "EXP_RECE_SEARCH_ORDER_RESP": ("search", desk.search),
            "EXP_RECE_UPDATE_ORDER": ("void", desk.update),
            "EXP_RECE_SEARCH_ROUTES": ("routes", desk.routes),
        }
        self._seen: set[str] = set()

    def app(self) -> Starlette:
        routes = [
            Route("/std/service", self._serve, methods=["POST"]),
            Route("/_world/handover", self._handover, methods=["POST"]),
            Route("/_world/advance", self._advance, methods=["POST"]),
            Route("/_world/parcels/{waybill_no}", self._show),
        ]
        return self._box.app(routes, on_start=self._courier.resume)

    async def _serve(self, request: Request) -> Response:
        form = dict(parse_qsl((await request.body()).decode(errors="replace"), keep_blank_values=True))
        away = self._turn_away(form)
        if away is not None:
            return away
        operation, work = self._services[form["serviceCode"]]
        message = _object(form["msgData"])
        ids = _ids(message)
        for fault, code, text in (("busy", "A1005", "流量受控"), ("system_error", "A1099", "系统异常")):
            if self._box.faults.take(operation, ids, only={fault}):
                return turned_away(code, text)
        return await self._box.play(operation, ids, lambda: work(message))

    def _turn_away(self, form: dict[str, str]) -> Response | None:
        if not all(form.get(name) for name in _FIELDS):
            return turned_away("A1001", "必传参数不可为空")
        timestamp, text = form["timestamp"], form["msgData"]
        now_ms = self._box.clock().timestamp() * 1000
        if not timestamp.isdigit() or abs(now_ms - int(timestamp)) > _STALE_S * 1000:
            return turned_away("A1002", "请求时效已过期")
        right = digest(text, timestamp, self._check_word)
        if form["partnerID"] != self._partner_id or not hmac.compare_digest(form["msgDigest"].encode(), right.encode()):
            return turned_away("A1006", "数字签名无效")
        if form["serviceCode"] not in self._services:
            return turned_away("A1004", "无对应服务权限")
        if form["requestID"] in self._seen:
            return turned_away("A1007", "重复请求")
        self._seen.add(form["requestID"])
        return None

    async def _handover(self, request: Request) -> Response:
        asked = _object((await request.body()).decode(errors="replace"))
        waybill_no, child_no = str(asked.get("waybill_no", "")), str(asked.get("child_no", ""))
        if not waybill_no:
            return JSONResponse({"error": "which parcel? waybill_no is missing"}, status_code=422)
        return JSONResponse(_world(self._courier.take(waybill_no, child_no or self._booked_as(waybill_no))))

    async def _advance(self, request: Request) -> Response:
        asked = _object((await request.body()).decode(errors="replace"))
        waybill_no = str(asked.get("waybill_no", ""))
        if not waybill_no:
            return JSONResponse({"error": "which parcel? waybill_no is missing"}, status_code=422)
        asked_code = str(asked.get("code", ""))
        parcel = self._parcels.parcels.get(waybill_no)
        if parcel is None:
            # Who names no code wants the parcel to go its way, also one that the warehouse has not handed over yet.
            parcel = self._parcels.hand_over(waybill_no, self._booked_as(waybill_no), "by_hand" if asked_code else "")
        code = asked_code or parcel.next_code()
        if code is None:
            return JSONResponse({"error": "this parcel has nowhere to go; give a code"}, status_code=409)
        self._courier.scan(parcel, code, str(asked.get("text", "")))
        return JSONResponse(_world(parcel))

    async def _show(self, request: Request) -> Response:
        parcel = self._parcels.parcels.get(request.path_params["waybill_no"])
        return JSONResponse(_world(parcel)) if parcel else JSONResponse({"error": "no such parcel"}, status_code=404)

    def _booked_as(self, waybill_no: str) -> str:
        booked = self._parcels.by_waybill.get(waybill_no)
        return booked.order_id if booked else ""


def _ids(message: dict[str, Any]) -> dict[str, str]:
    """What faults may match on."""
    child_no, numbers = str(message.get("orderId", "")), message.get("trackingNumber")
    waybill_no = str(numbers[0]) if isinstance(numbers, list) and numbers else ""
    return {"child_no": child_no, "order_no": order_of(child_no), "waybill_no": waybill_no}


def _world(parcel: Parcel) -> dict[str, Any]:
    scans = [{"at": scan.at.isoformat(), "code": scan.code, "text": scan.text} for scan in parcel.scans]
    return {"waybill_no": parcel.waybill_no, "finished": parcel.finished, "scans": scans}


def _object(text: str) -> dict[str, Any]:
    try:
        value = json.loads(text)
    except ValueError:
        return {}
    return value if isinstance(value, dict) else {}
