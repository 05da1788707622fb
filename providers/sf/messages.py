"""What SF's services carry: what we send is built here, of the replies only what we need is read."""

from typing import Annotated, Any

from pydantic import BaseModel, ConfigDict, Field

from domain.order import Address
from providers.sf.gateway import SfConfig
from providers.sf.routes import MAX_ROUTES, Route
from providers.tms.messages import BookShipment
from providers.tracking import WaybillNo

LANGUAGE = "zh-CN"
_CARGO = "商品"
"""SF wants a name of what is inside; a child order has many."""
_SENDER, _RECEIVER = 1, 2
_PAID_BY_SENDER = 1
MAIN_WAYBILL = 1
NOT_SERVED = 3


def order_message(shipment: BookShipment, config: SfConfig) -> dict[str, Any]:
    """EXP_RECE_CREATE_ORDER for one parcel, with a waybill number of the national form (SF and 13 digits)."""
    message: dict[str, Any] = {
        "language": LANGUAGE,
        "orderId": shipment.shipment_id,
        "cargoDetails": [{"name": _CARGO, "count": shipment.items}],
        "contactInfoList": [_contact(_SENDER, config.sender), _contact(_RECEIVER, shipment.receiver)],
        "monthlyCard": config.monthly_card,
        "payMethod": _PAID_BY_SENDER,
        "expressTypeId": config.express_type,
        "parcelQty": 1,
        "isReturnRoutelabel": 1,
        "isUnifiedWaybillNo": 1,
    }
    if shipment.weight_g > 0:
        message["totalWeight"] = shipment.weight_g / 1000  # kg, and above 0 if given at all
    return message


def _contact(kind: int, who: Address) -> dict[str, Any]:
    parts = {
        "contactType": kind,
        "contact": who.recipient,
        "mobile": who.phone,
        "country": who.country,
        "province": who.province,
        "city": who.city,
        "county": who.district,
        "address": who.street,
        "postCode": who.postcode,
    }
    return {name: value for name, value in parts.items() if value is not None}


class _Reply(BaseModel):
    model_config = ConfigDict(extra="ignore", frozen=True, coerce_numbers_to_str=True, allow_inf_nan=False)


class WaybillInfo(_Reply):
    waybillType: int | None = None
    waybillNo: WaybillNo


class OrderReply(_Reply):
    """Answer of booking and of looking a booking up. `filterResult`: 1 a person at SF decides, 2 served, 3 not."""

    orderId: str
    filterResult: int | None = None
    remark: str | None = None
    waybillNoInfoList: Annotated[tuple[WaybillInfo, ...], Field(max_length=MAX_ROUTES)] | None = None


class VoidReply(_Reply):
    """`resStatus` 2: done; 1: order and waybill do not belong together."""

    orderId: str
    resStatus: int


class RouteReply(_Reply):
    mailNo: str
    routes: Annotated[tuple[Route, ...], Field(max_length=MAX_ROUTES)] | None = None


class RoutesReply(_Reply):
    routeResps: tuple[RouteReply, ...] | None = None
