"""Calls to SF: book, look up, void, query scans (docs/providers.md). `book` and `void` are those of `providers/tms`.

SF's order number is our child number and the idempotency key, so after `SfUnknown` any call may be repeated.
"""

import json
from collections.abc import Callable, Sequence
from typing import Any, Literal, TypeVar

import httpx
from pydantic import BaseModel

from domain.clock import Clock
from domain.strict import UnableToRead, parse
from providers.http import DEADLINE_S
from providers.sf import codes
from providers.sf.gateway import SYSTEM, SfConfig, SfGateway, SfRefused, SfUnknown, garbage
from providers.sf.messages import LANGUAGE, MAIN_WAYBILL, NOT_SERVED, OrderReply, RoutesReply, VoidReply, order_message
from providers.sf.routes import CARRIER, trace_of
from providers.tms.messages import BookShipment, ShipmentStatus, TmsBooked
from providers.tracking import ParcelStatus, Trace, one_line

MAX_QUERY = 10
"""Waybills that one query may ask about."""
_BY_WAYBILL, _BY_ORDER = 1, 2
_CANCEL = 2
_VOIDED = 2
_NOT_YET_TAKEN = frozenset({ParcelStatus.UNKNOWN, ParcelStatus.PRE_TRANSIT, ParcelStatus.CANCELLED})
R = TypeVar("R", bound=BaseModel)


class Sf:
    """Every method raises `SfRefused`, `SfUnavailable` or `SfUnknown`."""

    def __init__(
        self,
        config: SfConfig,
        http: httpx.AsyncClient,
        clock: Clock,
        new_id: Callable[[], str],
        *,
        deadline_s: float = DEADLINE_S,
    ) -> None:
        self._config = config
        self._clock = clock
        self._gateway = SfGateway(config, http, clock, new_id, deadline_s=deadline_s)

    async def book(self, shipment: BookShipment) -> TmsBooked:
        """Book a parcel and get its waybill number; again gives the same one, with the content of the first call."""
        if shipment.carrier not in (None, CARRIER):
            raise SfRefused(SYSTEM, "CARRIER_UNKNOWN", f"{shipment.shipment_id} is for {shipment.carrier}, not for SF")
        try:
            told = await self._gateway.call("EXP_RECE_CREATE_ORDER", order_message(shipment, self._config))
        except SfRefused as no:
            if no.code != codes.DUPLICATE:
                raise
            told = await self._look_up(shipment.shipment_id)
        return _booked(_read(OrderReply, told), shipment.shipment_id)

    async def booking(self, child_no: str) -> TmsBooked | None:
        """The booking, or None when SF has never heard of it. One that was voided is refused (8037)."""
        try:
            told = await self._look_up(child_no)
        except SfRefused as no:
            if no.code == codes.NOT_FOUND:
                return None
            raise
        return _booked(_read(OrderReply, told), child_no)

    async def void(self, child_no: str) -> Literal["voided", "too_late"]:
        """Cancel the waybill. Voiding twice is voided; `too_late` once the courier has the parcel."""
        message = {"language": LANGUAGE, "orderId": child_no, "dealType": _CANCEL, "waybillNoInfoList": []}
        try:
            told = _read(VoidReply, await self._gateway.call("EXP_RECE_UPDATE_ORDER", message))
        except SfRefused as no:
            if no.code in codes.CANCELLED:
                return "voided"
            # SF's documents name no code for a parcel that is on its way; its scans tell.
            if no.code != codes.NOT_FOUND and await self._is_taken(child_no):
                return "too_late"
            raise
        if told.resStatus != _VOIDED:
            raise SfRefused(SYSTEM, f"RES_STATUS_{told.resStatus}", f"{child_no} was not cancelled")
        return "voided"

    async def query(self, waybills: Sequence[str], phone: str | None = None) -> tuple[Trace, ...]:
        """The parcels as they stand, in the order asked; an empty trace while nothing was scanned. At most `MAX_QUERY`.

        `phone`: receiver's or sender's; SF demands its last four digits for parcels that were not booked through us.
        """
        if not 0 < len(waybills) <= MAX_QUERY:
            raise ValueError(f"one query is about 1 to {MAX_QUERY} waybills, not {len(waybills)}")
        found = {reply.waybill_no: reply for reply in await self._routes(_BY_WAYBILL, waybills, phone)}
        return tuple(found.get(no) or trace_of(no, (), self._clock()) for no in waybills)

    async def _look_up(self, child_no: str) -> dict[str, Any]:
        message = {"language": LANGUAGE, "searchType": "1", "orderId": child_no}
        return await self._gateway.call("EXP_RECE_SEARCH_ORDER_RESP", message)

    async def _is_taken(self, child_no: str) -> bool:
        traces = await self._routes(_BY_ORDER, [child_no])
        return any(point.status not in _NOT_YET_TAKEN for trace in traces for point in trace.points)

    async def _routes(self, by: int, numbers: Sequence[str], phone: str | None = None) -> list[Trace]:
        message = {"language": LANGUAGE, "trackingType": str(by), "trackingNumber": list(numbers), "methodType": "1"}
        if phone:
            message["checkPhoneNo"] = phone[-4:]
        told = _read(RoutesReply, await self._gateway.call("EXP_RECE_SEARCH_ROUTES", message))
        return [trace_of(reply.mailNo, reply.routes or (), self._clock()) for reply in told.routeResps or ()]


def _booked(order: OrderReply, child_no: str) -> TmsBooked:
    if order.orderId != child_no:
        raise SfUnknown(SYSTEM, "WRONG_SHIPMENT", f"asked for {child_no}, answered for {one_line(order.orderId, 64)}")
    if order.filterResult == NOT_SERVED:
        remark = one_line(order.remark or "", 100)
        raise SfRefused(SYSTEM, "ADDRESS_NOT_SERVED", f"SF does not serve the addresses of {child_no} ({remark})")
    main = [info.waybillNo for info in order.waybillNoInfoList or () if info.waybillType in (None, MAIN_WAYBILL)]
    if not main:
        raise SfUnknown(SYSTEM, "NO_WAYBILL", f"SF has {child_no} but gave it no number yet; ask again")
    return TmsBooked(
        shipment_id=child_no, tms_ref=child_no, carrier=CARRIER, waybill_no=main[0], status=ShipmentStatus.BOOKED
    )


def _read(model: type[R], told: dict[str, Any]) -> R:
    try:
        return parse(model, json.dumps(told))
    except UnableToRead as e:
        raise garbage(str(e)) from None
