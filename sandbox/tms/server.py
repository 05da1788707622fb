"""The HTTP side of the carrier system (docs/contract/tms.md)."""

import hmac
from collections.abc import Callable
from typing import Annotated, Any

from pydantic import BaseModel, ConfigDict, Field, ValidationError
from starlette.applications import Starlette
from starlette.requests import Request
from starlette.responses import JSONResponse, Response
from starlette.routing import Route

from sandbox.core import Sandbox, Settings
from sandbox.tms.labels import label, media_type
from sandbox.tms.state import PREFIX, Shipment, State, order_of
from sandbox.tms.webhooks import SCHEDULE_S, render

MOVES = {
    "shipment.collected": "collected",
    "shipment.in_transit": "in_transit",
    "shipment.out_for_delivery": "out_for_delivery",
    "shipment.delivered": "delivered",
    "shipment.exception": "exception",
    "shipment.refused": "refused",
    "shipment.returned": "returned",
}
Work = Callable[[Shipment, dict[str, str]], Response]
_Text = Annotated[str, Field(min_length=1, max_length=200)]


class Receiver(BaseModel):
    model_config = ConfigDict(strict=True, extra="forbid")
    recipient: _Text
    phone: _Text
    province: _Text
    city: _Text
    district: _Text | None = None
    street: _Text
    postcode: str | None = None
    country: str


class Booking(BaseModel):
    model_config = ConfigDict(strict=True, extra="forbid")
    shipment_id: Annotated[str, Field(pattern=r"^[A-Za-z0-9._:-]{1,64}$")]
    carrier: str | None = None
    weight_g: Annotated[int, Field(ge=0)]
    items: Annotated[int, Field(ge=1)]
    receiver: Receiver
    buyer_identity: str | None = None


class WorldEvent(BaseModel):
    model_config = ConfigDict(strict=True, extra="forbid")
    shipment_id: str
    type: str
    place: str = ""
    note: str = ""
    silent: bool = False


def create_app(settings: Settings) -> Starlette:
    return Carrier(settings).app()


class Carrier:
    def __init__(self, settings: Settings) -> None:
        self._token = settings.need("TOKEN")
        self._callback_url = settings.get("CALLBACK_URL")
        secrets = [s for s in settings.need("WEBHOOK_SECRETS").split(",") if s]
        self._box = Sandbox(
            "tms",
            settings,
            schedule=SCHEDULE_S,
            render=lambda delivery: render(delivery, secrets, settings.clock()),
            fail=lambda status: _error(status, "FAULT", "failure on demand"),
            own_faults={"address_not_served", "too_late", "bad_signature"},
        )
        self._books = State(self._box.ledger)

    def app(self) -> Starlette:
        return self._box.app(
            [
                Route("/v1/shipments", self._book, methods=["POST"]),
                Route("/v1/shipments/{id}", self._query),
                Route("/v1/shipments/{id}/label", self._label),
                Route("/v1/shipments/{id}/void", self._void, methods=["POST"]),
                Route("/_world/shipments/{id}", self._world),
                Route("/_world/event", self._happen, methods=["POST"]),
            ]
        )

    async def _book(self, request: Request) -> Response:
        if not self._known_caller(request):
            return _unauthorized()
        try:
            asked = Booking.model_validate_json(await request.body())
        except ValidationError as e:
            return _error(422, "INVALID", "; ".join(f"{err['loc']}: {err['msg']}" for err in e.errors()))
        ids = _ids(asked.shipment_id)
        return await self._box.play("book", ids, lambda: self._booking(asked.model_dump(exclude_none=True), ids))

    def _booking(self, asked: dict[str, Any], ids: dict[str, str]) -> Response:
        known = self._books.get(asked["shipment_id"])
        if known is not None:
            if known.request != asked:
                return _error(409, "SHIPMENT_CONFLICT", f"{known.shipment_id} is booked with other content")
            if known.status == "voided":
                return _error(409, "SHIPMENT_VOIDED", f"{known.shipment_id} was voided")
            return JSONResponse(known.as_json(), status_code=200)
        if asked.get("carrier") not in (None, *PREFIX):
            return _error(422, "CARRIER_UNKNOWN", f"no contract with {asked['carrier'][:20]}")
        if self._box.faults.take("book", ids, only={"address_not_served"}):
            return _error(422, "ADDRESS_NOT_SERVED", "no carrier goes there")
        shipment = self._books.book(asked)
        self._tell(shipment, "shipment.booked", {})
        return JSONResponse(shipment.as_json(), status_code=201)

    async def _query(self, request: Request) -> Response:
        return await self._on_shipment(request, "query", lambda s, _ids: JSONResponse(s.as_json()))

    async def _label(self, request: Request) -> Response:
        format = request.query_params.get("format", "PDF")
        if format not in ("PDF", "ZPL"):
            return _error(422, "INVALID", "format is PDF or ZPL")

        def work(shipment: Shipment, _ids: dict[str, str]) -> Response:
            if shipment.status == "voided":
                return _error(409, "SHIPMENT_VOIDED", f"{shipment.shipment_id} was voided")
            self._books.note_label(shipment, format)
            return Response(label(shipment, format), media_type=media_type(format))

        return await self._on_shipment(request, "label", work)

    async def _void(self, request: Request) -> Response:
        return await self._on_shipment(request, "void", self._voiding)

    def _voiding(self, shipment: Shipment, ids: dict[str, str]) -> Response:
        if shipment.status == "booked" and not self._box.faults.take("void", ids, only={"too_late"}):
            self._books.move(shipment, "voided")
            self._tell(shipment, "label.voided", {})
        return JSONResponse({"result": "voided" if shipment.status == "voided" else "too_late"})

    async def _on_shipment(self, request: Request, operation: str, work: Work) -> Response:
        if not self._known_caller(request):
            return _unauthorized()
        shipment = self._books.get(request.path_params["id"])
        if shipment is None:
            return _error(404, "SHIPMENT_UNKNOWN", "never booked here")
        ids = _ids(shipment.shipment_id)
        return await self._box.play(operation, ids, lambda: work(shipment, ids))

    async def _world(self, request: Request) -> Response:
        shipment = self._books.get(request.path_params["id"])
        if shipment is None or shipment.status == "voided":
            return _error(404, "SHIPMENT_UNKNOWN", "no valid label")
        return JSONResponse({"waybill_no": shipment.waybill_no, "carrier": shipment.carrier})

    async def _happen(self, request: Request) -> Response:
        try:
            event = WorldEvent.model_validate_json(await request.body())
        except ValidationError as e:
            return _error(422, "INVALID", str(e))
        shipment = self._books.get(event.shipment_id)
        if shipment is None:
            return _error(404, "SHIPMENT_UNKNOWN", "never booked here")
        if event.type in MOVES:
            self._books.move(shipment, MOVES[event.type])
        if not event.silent:
            self._tell(shipment, event.type, {"place": event.place, "note": event.note})
        return JSONResponse(shipment.as_json())

    def _tell(self, shipment: Shipment, event_type: str, more: dict[str, str]) -> None:
        data = {"shipment_id": shipment.shipment_id, "waybill_no": shipment.waybill_no, "carrier": shipment.carrier}
        payload = {"type": event_type, "timestamp": self._box.clock().isoformat(), "data": data | more}
        ids = _ids(shipment.shipment_id)
        self._box.outbox.post(event_type, self._callback_url, payload, order_no=ids["order_no"], ids=ids)

    def _known_caller(self, request: Request) -> bool:
        given = request.headers.get("authorization", "")
        return hmac.compare_digest(given.encode(), f"Bearer {self._token}".encode())


def _ids(shipment_id: str) -> dict[str, str]:
    """What faults may match on."""
    return {"order_no": order_of(shipment_id), "child_no": shipment_id}


def _unauthorized() -> Response:
    return _error(401, "UNAUTHORIZED", "unknown token")


def _error(status: int, code: str, message: str) -> Response:
    return JSONResponse({"error": {"code": code, "message": message}}, status_code=status)
