"""The HTTP side: one address, three methods, every answer in Qimen's XML."""

from collections.abc import Mapping
from typing import Any
from urllib.parse import urlencode
from xml.etree.ElementTree import Element

from starlette.applications import Starlette
from starlette.requests import Request
from starlette.responses import Response
from starlette.routing import Route

from sandbox.core import Delivery, Sandbox, Settings
from sandbox.qimen import reports, state, wire
from sandbox.qimen.peer_systems import PeerSystems
from sandbox.qimen.state import Order, State, ids_of
from sandbox.qimen.warehouse_flow import StageTimes, WarehouseFlow

SCHEDULE_S = (60, 300, 900, 3600, 14400, 28800)
"""Qimen leaves repeats to each warehouse; this is a patient one, about 13 hours."""
_ON_PUSH = {"refuse", "reject", "short_pick", "silence"}
_ON_CANCEL = {"cancel_pending", "cancel_overtaken", "too_late"}


def _slower(settings: Settings) -> Mapping[str, float]:
    """`WH-S=2,WH-T=3`: how many times as long these warehouses take for everything."""
    pairs = (pair.split("=") for pair in settings.get("SLOWER", "").split(",") if pair)
    return {warehouse.strip(): float(times) for warehouse, times in pairs}


def create_app(settings: Settings) -> Starlette:
    return Warehouse(settings).app()


class Warehouse:
    def __init__(self, settings: Settings) -> None:
        self._account = {
            "secret": settings.need("SECRET"),
            "app_key": settings.need("APP_KEY"),
            "customerId": settings.need("CUSTOMER_ID"),
        }
        self._box = Sandbox(
            "qimen",
            settings,
            schedule=SCHEDULE_S,
            render=lambda delivery: ({"content-type": wire.XML}, delivery.payload["body"].encode()),
            address=self._signed_address,
            accepted=wire.taken,
            fail=lambda status: wire.failure("ISP.FAULT", "failure on demand", status=status),
            own_faults=_ON_PUSH | _ON_CANCEL | {"bad_signature"},
        )
        accept, pick, pack, ship = (float(s) for s in settings.get("STAGES_S", "5,600,900,300").split(","))
        pace = StageTimes(accept, pick, pack, ship, float(settings.get("CANCEL_S", "600")), _slower(settings))
        neighbours = PeerSystems(settings.get("TMS_URL"), settings.get("KUAIDI100_URL"))
        self._books = State(self._box.ledger)
        self._floor = WarehouseFlow(self._box, self._books, neighbours, pace, settings.get("CALLBACK_URL"))

    def app(self) -> Starlette:
        # The real gateway has the long path; a bare base address works as well.
        paths = ("/", "/router/qimen/service")
        routes = [Route(path, self._serve, methods=["POST"]) for path in paths]
        return self._box.app(routes, on_start=self._floor.resume, on_stop=self._floor.stop)

    async def _serve(self, request: Request) -> Response:
        body = await request.body()
        parameters = dict(request.query_params)
        try:
            wire.check(self._account, parameters, body)
            match parameters["method"].removeprefix("taobao.qimen."):
                case "deliveryorder.create":
                    code, content = _outbound(wire.read(body))
                    return await self._box.play("push", ids_of(code), lambda: self._push(code, content))
                case "order.cancel":
                    code = _code(wire.read(body), "orderCode")
                    return await self._box.play("cancel", ids_of(code), lambda: self._cancel(code))
                case "deliveryorder.query":
                    code = _code(wire.read(body), "orderCode")
                    return await self._box.play("query", ids_of(code), lambda: self._query(code))
                case _:
                    raise wire.NotQimen("METHOD_UNKNOWN", "this warehouse does not have that method")
        except wire.NotQimen as e:
            return wire.failure(e.code, str(e))

    def _push(self, code: str, content: dict[str, Any]) -> Response:
        known = self._books.orders.get(code)
        if known is not None:
            if known.content != content:
                return wire.failure("CONTENT_CONFLICT", f"{code} is here already with other content")
            return wire.success({"deliveryOrderId": known.number}, "DUPLICATE", "order exists already")
        fault = self._box.faults.take("push", ids_of(code), only=_ON_PUSH)
        if fault is not None and fault.fault == "refuse":
            return wire.failure("ITEM_UNKNOWN", "an item of this order is not known here")
        order = self._books.push(code, content, fault.fault if fault else "")
        self._floor.expect(order)
        return wire.success({"createTime": wire.local(order.since), "deliveryOrderId": order.number})

    def _cancel(self, code: str) -> Response:
        order = self._books.orders.get(code)
        if order is None:
            return wire.failure("ORDER_NOT_FOUND", f"no order {code} here")
        if order.stage in (state.CANCELED, state.REJECT):
            return wire.success({})
        if order.stage == state.DELIVERED or order.on_truck:
            return wire.failure("ORDER_SHIPPED", f"{code} has left the warehouse")
        if order.cancel_since is not None:
            return _pending(code)
        return self._stop(order)

    def _stop(self, order: Order) -> Response:
        """A first request to cancel an order that is still in the house."""
        fault = self._box.faults.take("cancel", ids_of(order.code), only=_ON_CANCEL)
        name = fault.fault if fault else ""
        if name == "too_late":
            self._books.cancel(order, "too_late")
            return wire.failure("ORDER_SHIPPED", f"{order.code} is on the truck")
        if order.stage in state.SHELVED and not name:
            self._books.cancel(order, "cancelled")
            self._floor.expect(order)
            return wire.success({})
        self._books.cancel(order, "pending", wins=name != "cancel_overtaken")
        self._floor.expect(order)
        return _pending(order.code)

    def _query(self, code: str) -> Response:
        order = self._books.orders.get(code)
        if order is None:
            return wire.failure("ORDER_NOT_FOUND", f"no order {code} here")
        return wire.success(reports.standing(order, {}))

    def _signed_address(self, delivery: Delivery, body: bytes) -> str:
        parameters: dict[str, str] = {
            "method": delivery.payload["method"],
            "timestamp": wire.local(self._box.clock()),
            "format": "xml",
            "app_key": self._account["app_key"],
            "v": "2.0",
            "sign_method": "md5",
            "customerId": self._account["customerId"],
        }
        forged = delivery.fault == "bad_signature" and delivery.attempt == 0
        secret = "somebody else's" if forged else self._account["secret"]
        return f"{delivery.url}?{urlencode(parameters | {'sign': wire.signature(secret, parameters, body)})}"


def _pending(code: str) -> Response:
    return wire.success({}, "CANCEL_PENDING", f"somebody is looking for {code}")


def _code(root: Element, name: str) -> str:
    code = (root.findtext(name) or "").strip()
    if not code:
        raise wire.NotQimen("FIELD_MISSING", name)
    return code


def _outbound(root: Element) -> tuple[str, dict[str, Any]]:
    """Code and content of deliveryorder.create. Times and names are not content: a shop may correct a name."""
    order = root.find("deliveryOrder")
    receiver = None if order is None else order.find("receiverInfo")
    if order is None or receiver is None:
        raise wire.NotQimen("FIELD_MISSING", "deliveryOrder or receiverInfo")
    for name in ("name", "mobile", "province", "city", "detailAddress"):
        _code(receiver, name)
    lines = [_line(line) for line in root.findall("orderLines/orderLine")]
    if not lines:
        raise wire.NotQimen("FIELD_MISSING", "orderLines")
    content: Mapping[str, Any] = {
        "warehouse": _code(order, "warehouseCode"),
        "carrier": order.findtext("logisticsCode") or "",
        "receiver": {field.tag: (field.text or "").strip() for field in receiver},
        "lines": lines,
    }
    return _code(order, "deliveryOrderCode"), dict(content)


def _line(line: Element) -> dict[str, Any]:
    planned = _code(line, "planQty")
    if not (planned.isascii() and planned.isdigit() and len(planned) < 10 and int(planned) > 0):
        raise wire.NotQimen("FIELD_WRONG", "planQty")
    return {"line_no": _code(line, "orderLineNo"), "item": _code(line, "itemCode"), "planned": int(planned)}
