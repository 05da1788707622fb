"""Callbacks of a mapped source: Standard Webhooks in, facts and trace out (docs/contract/generic-source.md)."""

import json
from collections.abc import Sequence
from datetime import datetime

from domain.facts import Fact
from domain.strict import MAX_BYTES
from providers.callbacks import Answer, Callback, CallbackRefused, RawRequest, TracePoint
from providers.generic.mapping import SourceMapping
from providers.generic.translating import explain
from providers.standard_webhooks import Webhook, WebhookRefused
from providers.tracking import KIND_OF, ParcelStatus, one_line

_JSON = "application/json"
_MALFORMED = 400
_STATUS_OF = {kind: status for status, kind in reversed(KIND_OF.items())}
"""The first status of each kind in the table is its plain one."""


class GenericReceiver:
    """`providers.callbacks.Receiver` for the source of `mapping`.

    `secrets`: the values behind `mapping.secrets`, as `whsec_…` (or `whpk_…`); raises `BadWebhookSecret` on bad ones.
    """

    def __init__(self, mapping: SourceMapping, secrets: Sequence[str]) -> None:
        self.source: str = mapping.source
        self.most_bytes = MAX_BYTES
        self._mapping = mapping
        self._webhook = Webhook(secrets)

    def read(self, request: RawRequest, now: datetime) -> Callback:
        try:
            message_id = self._webhook.verify(request.headers, request.body, now).message_id
        except WebhookRefused as e:
            raise CallbackRefused(e.reason, str(e)) from None
        told = explain(self._mapping, request.body)
        if told.outcome == "refused":
            reasons = "; ".join(told.errors)
            text = f"unable to read the {self.source} event {told.type}: {reasons}"[:500]
            raise CallbackRefused("malformed", text, status=_MALFORMED)
        trace = tuple(_point(fact, message_id) for fact in told.facts if fact.waybill_no and fact.kind in _STATUS_OF)
        return Callback(event_id=message_id, kind=told.type, facts=told.facts, trace=trace)

    def accepted(self, request: RawRequest) -> Answer:
        return Answer(204, b"", _JSON)

    def refused(self, request: RawRequest, why: CallbackRefused) -> Answer:
        told = {"error": why.reason}
        if why.status == _MALFORMED:
            # It was signed: whoever has sent it may hear which field of it we could not read.
            told["detail"] = why.text
        return Answer(why.status, json.dumps(told, ensure_ascii=False).encode(), _JSON)


def _point(fact: Fact, message_id: str) -> TracePoint:
    status: ParcelStatus = _STATUS_OF[fact.kind]
    key = f"{fact.source}:{message_id}"
    return TracePoint(fact.waybill_no or "", key, fact.occurred_at, status.value, one_line(fact.note, 500))
