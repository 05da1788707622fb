"""Callbacks of the TMS: Standard Webhooks messages in, facts and trace out (docs/contract/tms.md)."""

import json
from collections.abc import Sequence
from datetime import datetime

from domain.strict import UnableToRead, parse
from providers.callbacks import Answer, Callback, CallbackRefused, RawRequest, TracePoint
from providers.standard_webhooks import Webhook, WebhookRefused
from providers.tms.messages import EventHead, TmsEvent
from providers.tracking import ParcelStatus, Scan, milestones, one_line

_JSON = "application/json"
STATUS_OF: dict[str, ParcelStatus] = {
    "shipment.collected": ParcelStatus.PICKED_UP,
    "shipment.in_transit": ParcelStatus.IN_TRANSIT,
    "shipment.out_for_delivery": ParcelStatus.OUT_FOR_DELIVERY,
    "shipment.delivered": ParcelStatus.DELIVERED,
    "shipment.exception": ParcelStatus.EXCEPTION,
    "shipment.refused": ParcelStatus.REFUSED,
    "shipment.returned": ParcelStatus.RETURNED,
}
"""Events that tell where a parcel is. All others (shipment.booked, label.created, label.voided…) are only kept."""


class TmsReceiver:
    """`providers.callbacks.Receiver` for source `tms`. Raises `BadWebhookSecret` on unusable secrets."""

    source = "tms"

    def __init__(self, webhook_secrets: Sequence[str]) -> None:
        self._webhook = Webhook(webhook_secrets)

    def read(self, request: RawRequest, now: datetime) -> Callback:
        try:
            message_id = self._webhook.verify(request.headers, request.body, now).message_id
        except WebhookRefused as e:
            raise CallbackRefused(e.reason, str(e)) from None
        try:
            event_type = parse(EventHead, request.body).type
            if event_type not in STATUS_OF:
                return Callback(event_id=message_id, kind=event_type, facts=())
            return _callback(message_id, parse(TmsEvent, request.body))
        except UnableToRead as e:
            raise CallbackRefused("malformed", f"unable to read the TMS event: {e}", status=400) from None

    def accepted(self, request: RawRequest) -> Answer:
        return Answer(204, b"", _JSON)

    def refused(self, request: RawRequest, why: CallbackRefused) -> Answer:
        return Answer(why.status, json.dumps({"error": why.reason}).encode(), _JSON)


def _callback(message_id: str, event: TmsEvent) -> Callback:
    data = event.data
    scan = Scan(event.timestamp, STATUS_OF[event.type], data.note)
    ids = {"child_no": data.shipment_id}
    if data.waybill_no is not None:
        ids["waybill_no"] = data.waybill_no
    if data.carrier is not None:
        ids["carrier"] = data.carrier
    facts = milestones("tms", data.shipment_id, [scan], ids)
    trace: tuple[TracePoint, ...] = ()
    if data.waybill_no is not None:
        text, place = one_line(data.note, 500), one_line(data.place, 100)
        trace = (TracePoint(data.waybill_no, f"tms:{message_id}", scan.at, scan.status.value, text, place),)
    return Callback(event_id=message_id, kind=event.type, facts=facts, trace=trace)
