"""The HTTP side: Kuaidi100's two calls, and the addresses that open the parcels' world."""

import json
from collections.abc import Mapping
from typing import Any
from urllib.parse import parse_qsl

from starlette.applications import Starlette
from starlette.requests import Request
from starlette.responses import JSONResponse, Response
from starlette.routing import Route

from sandbox.core import Delivery, Sandbox, Settings
from sandbox.kuaidi100.courier import Courier
from sandbox.kuaidi100.parcels import Parcel, Parcels, Subscriber
from sandbox.kuaidi100.wire import COMPANIES, md5, render, snapshot, taken

SCHEDULE_S = (2100, 2100, 2100)
"""Three more tries, 35 minutes apart."""
_PHONE_NEEDED = ("shunfeng", "zhongtong")


def create_app(settings: Settings) -> Starlette:
    return Kuaidi100(settings).app()


class Kuaidi100:
    def __init__(self, settings: Settings) -> None:
        self._customer, self._key = settings.need("CUSTOMER"), settings.need("KEY")
        stages = tuple(float(s) for s in settings.get("STAGES_S", "60,600,1800,1800").split(","))
        self._box = Sandbox(
            "kuaidi100",
            settings,
            schedule=SCHEDULE_S,
            render=self._render,
            accepted=taken,
            fail=lambda status: _no("500", "服务器错误", http_status=status),
            own_faults={"exception", "refused", "lost_parcel", "busy", "bad_signature"},
        )
        self._parcels = Parcels(self._box.ledger)
        self._courier = Courier(self._box, self._parcels, stages)

    def app(self) -> Starlette:
        routes = [
            Route("/poll", self._subscribe, methods=["POST"]),
            Route("/poll/query.do", self._query, methods=["POST"]),
            Route("/_world/handover", self._handover, methods=["POST"]),
            Route("/_world/advance", self._advance, methods=["POST"]),
            Route("/_world/parcels/{waybill_no}", self._show),
        ]
        return self._box.app(routes, on_start=self._courier.resume)

    async def _subscribe(self, request: Request) -> Response:
        form = await _form(request)
        param = _object(form.get("param", ""))
        ids = {"waybill_no": str(param.get("number", ""))}
        return await self._box.play("subscribe", ids, lambda: self._subscribing(form.get("schema", ""), param, ids))

    def _subscribing(self, schema: str, param: dict[str, Any], ids: dict[str, str]) -> Response:
        if self._box.faults.take("subscribe", ids, only={"busy"}):
            return _no("500", "服务器繁忙，请稍后再试")
        wrong = self._wrong_with(schema, param)
        if wrong is not None:
            return _no(*wrong)
        number, company, parameters = str(param["number"]), param["company"], param["parameters"]
        salt, advanced = str(parameters.get("salt", "")), parameters.get("resultv2") == "4"
        subscriber = Subscriber(company, number, str(parameters["callbackurl"]), salt, advanced)
        if not self._parcels.subscribe(subscriber):
            return _no("501", "重复订阅")
        parcel = self._parcels.parcels.get(number)
        if parcel is not None and parcel.scans:
            self._courier.tell(subscriber, parcel)
        return JSONResponse({"result": True, "returnCode": "200", "message": "提交成功"})

    def _wrong_with(self, schema: str, param: dict[str, Any]) -> tuple[str, str] | None:
        parameters = param.get("parameters")
        if schema != "json" or not isinstance(parameters, dict) or not parameters.get("callbackurl"):
            return "700", "订阅方的订阅数据存在错误"
        if param.get("key") != self._key:
            return "600", "您不是合法的订阅者（即授权Key出错）"
        if param.get("company") not in COMPANIES:
            return "701", "订阅方的订阅数据存在错误（如不支持的快递公司）"
        if not 6 <= len(str(param.get("number", ""))) <= 32:
            return "702", "识别不到该单号对应的快递公司"
        return None

    async def _query(self, request: Request) -> Response:
        form = await _form(request)
        text = form.get("param", "")
        right = md5(text + self._key + self._customer)
        if form.get("customer") != self._customer or form.get("sign") != right:
            return _no("503", "验证签名失败")
        param = _object(text)
        ids = {"waybill_no": str(param.get("num", ""))}
        return await self._box.play("query", ids, lambda: self._querying(param, ids))

    def _querying(self, param: dict[str, Any], ids: dict[str, str]) -> Response:
        company, number = str(param.get("com", "")), ids["waybill_no"]
        self._box.ledger.add("query", key=number, company=company)
        if self._box.faults.take("query", ids, only={"busy"}):
            return _no("502", "服务器繁忙")
        if company not in COMPANIES or not number:
            return _no("400", "提交的数据不完整，或者贵公司没授权")
        if company in _PHONE_NEEDED and not param.get("phone"):
            return _no("408", "验证码错误")
        parcel = self._parcels.parcels.get(number)
        if parcel is None or not parcel.scans:
            return _no("500", "查询无结果，请隔段时间再查")
        return JSONResponse(snapshot(parcel, company, param.get("resultv2") == "4"))

    async def _handover(self, request: Request) -> Response:
        asked = _object((await request.body()).decode(errors="replace"))
        waybill_no, carrier = str(asked.get("waybill_no", "")), str(asked.get("carrier", ""))
        if not waybill_no or not carrier:
            return JSONResponse({"error": "a handover needs waybill_no and carrier"}, status_code=422)
        return JSONResponse(_world(self._courier.take(waybill_no, carrier, str(asked.get("child_no", "")))))

    async def _advance(self, request: Request) -> Response:
        asked = _object((await request.body()).decode(errors="replace"))
        waybill_no = str(asked.get("waybill_no", ""))
        if not waybill_no:
            return JSONResponse({"error": "which parcel? waybill_no is missing"}, status_code=422)
        asked_code = str(asked.get("code", ""))
        # Who names no code wants the parcel to go its way, also one that the warehouse has not handed over yet.
        known = self._parcels.parcels.get(waybill_no)
        parcel = known or self._parcels.hand_over(waybill_no, "", "", "by_hand" if asked_code else "")
        code = asked_code or parcel.next_code()
        if code is None:
            return JSONResponse({"error": "this parcel has nowhere to go; give a code"}, status_code=409)
        self._courier.scan(parcel, code, str(asked.get("text", "")))
        return JSONResponse(_world(parcel))

    async def _show(self, request: Request) -> Response:
        parcel = self._parcels.parcels.get(request.path_params["waybill_no"])
        return JSONResponse(_world(parcel)) if parcel else JSONResponse({"error": "no such parcel"}, status_code=404)

    def _render(self, delivery: Delivery) -> tuple[Mapping[str, str], bytes]:
        last = delivery.payload["lastResult"]
        return render(delivery, self._parcels.subscriber(last["com"], last["nu"]).salt)


def _world(parcel: Parcel) -> dict[str, Any]:
    scans = [{"at": scan.at.isoformat(), "code": scan.code, "text": scan.text} for scan in parcel.scans]
    return {"waybill_no": parcel.waybill_no, "carrier": parcel.carrier, "finished": parcel.finished, "scans": scans}


async def _form(request: Request) -> dict[str, str]:
    return dict(parse_qsl((await request.body()).decode(errors="replace"), keep_blank_values=True))


def _object(text: str) -> dict[str, Any]:
    try:
        value = json.loads(text)
    except ValueError:
        return {}
    return value if isinstance(value, dict) else {}


def _no(code: str, message: str, *, http_status: int = 200) -> Response:
    return JSONResponse({"result": False, "returnCode": code, "message": message}, status_code=http_status)
