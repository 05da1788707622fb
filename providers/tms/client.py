"""Calls to the TMS: book, label, void, query (docs/contract/tms.md).

Booking is idempotent on the shipment id, so after `TmsUnknown` the same booking may simply be repeated, or queried.
"""

from dataclasses import dataclass, field
from typing import Literal, TypeVar
from urllib.parse import quote

import httpx
from pydantic import BaseModel

from domain.strict import UnableToRead, parse
from providers.errors import Refused, Unavailable, UnknownOutcome
from providers.http import DEADLINE_S, Faults, Reply, raise_for_outage, retry_after_s, send
from providers.tms.messages import BookShipment, FailureReply, LabelFormat, TmsBooked, TmsLabel, VoidAnswer
from providers.tracking import one_line

SYSTEM = "tms"
MAX_LABEL_BYTES = 400_000
"""Of one label; three of them travel together as base64 (workflows/shipping/warehouse.py)."""
"""A label travels through a Temporal payload (2 MB, base64)."""
_MAGIC: dict[LabelFormat, bytes] = {"PDF": b"%PDF-", "ZPL": b"^XA"}


class TmsRefused(Refused):
    """The TMS will not do it: bad address, voided shipment, other content under the same id, wrong token."""


class TmsUnavailable(Unavailable):
    """Nothing was done: no connection, 429, 503."""


class TmsUnknown(UnknownOutcome):
    """Time-out, reset, 5xx or an unreadable answer: repeat the same booking, or query the shipment."""


_FAULTS = Faults(not_sent=TmsUnavailable, unknown=TmsUnknown)
R = TypeVar("R", bound=BaseModel)


@dataclass(frozen=True)
class TmsConfig:
    """`base_url` without a trailing slash; `webhook_secrets`: Standard Webhooks secrets, newest first."""

    base_url: str
    token: str = field(repr=False)
    webhook_secrets: tuple[str, ...] = field(repr=False)


class TmsClient:
    """Every method raises `TmsRefused`, `TmsUnavailable` or `TmsUnknown`."""

    def __init__(self, config: TmsConfig, http: httpx.AsyncClient, *, deadline_s: float = DEADLINE_S) -> None:
        self._config = config
        self._http = http
        self._deadline_s = deadline_s

    async def book(self, shipment: BookShipment) -> TmsBooked:
        """Book a parcel and get its waybill number. The same content again gives the same booking."""
        body = shipment.model_dump_json(exclude_none=True).encode()
        reply = await self._call("POST", "/v1/shipments", body)
        if reply.status not in (200, 201):
            raise _refusal(reply)
        return _for_shipment(_read(TmsBooked, reply), shipment.shipment_id)

    async def label(self, child_no: str, format: LabelFormat = "PDF") -> TmsLabel:
        reply = await self._call("GET", f"{_path(child_no)}/label?format={format}", accept="*/*")
        if reply.status != 200:
            raise _refusal(reply)
        if not reply.body.lstrip()[:8].startswith(_MAGIC[format]):
            raise TmsUnknown(SYSTEM, "GARBAGE", f"the label of {child_no} is not {format}")
        if len(reply.body) > MAX_LABEL_BYTES:
            raise TmsRefused(SYSTEM, "LABEL_TOO_LARGE", f"the label of {child_no} has {len(reply.body)} bytes")
        return TmsLabel(format, reply.body)

    async def void(self, child_no: str) -> Literal["voided", "too_late"]:
        """Cancel the waybill. Voiding twice is voided; `too_late` once the courier has the parcel."""
        reply = await self._call("POST", f"{_path(child_no)}/void", b"{}")
        if reply.status != 200:
            raise _refusal(reply)
        return _read(VoidAnswer, reply).result

    async def query(self, child_no: str) -> TmsBooked | None:
        """The booking as it stands, or None when the TMS has never heard of it."""
        reply = await self._call("GET", _path(child_no))
        if reply.status == 404:
            return None
        if reply.status != 200:
            raise _refusal(reply)
        return _for_shipment(_read(TmsBooked, reply), child_no)

    async def _call(self, method: str, path: str, body: bytes = b"", *, accept: str = "application/json") -> Reply:
        headers = {"authorization": f"Bearer {self._config.token}", "accept": accept}
        if body:
            headers["content-type"] = "application/json"
        url = self._config.base_url + path
        reply = await send(
            self._http,
            SYSTEM,
            method,
            url,
            headers=headers,
            content=body,
            deadline_s=self._deadline_s,
            faults=_FAULTS,
        )
        if reply.status == 503:
            wait_s = retry_after_s(reply)
            raise TmsUnavailable(SYSTEM, "HTTP 503", "out of service before any work", retry_after_s=wait_s)
        raise_for_outage(SYSTEM, reply, _FAULTS)
        return reply


def _path(child_no: str) -> str:
    return f"/v1/shipments/{quote(child_no, safe='')}"


def _read(model: type[R], reply: Reply) -> R:
    try:
        return parse(model, reply.body)
    except UnableToRead as e:
        raise TmsUnknown(SYSTEM, "GARBAGE", f"the answer cannot be read: {one_line(str(e), 200)}") from None


def _for_shipment(booked: TmsBooked, shipment_id: str) -> TmsBooked:
    if booked.shipment_id != shipment_id:
        raise TmsUnknown(SYSTEM, "WRONG_SHIPMENT", f"asked for {shipment_id}, answered for {booked.shipment_id}")
    return booked


def _refusal(reply: Reply) -> TmsRefused | TmsUnknown:
    """A 4xx in the contract's form is a refusal. Anything else (a redirect, a proxy's page) proves nothing."""
    try:
        failure = parse(FailureReply, reply.body).error
    except UnableToRead:
        if reply.status in (401, 403):
            return TmsRefused(SYSTEM, f"HTTP {reply.status}", "the token is not accepted; check OMS_TMS_TOKEN")
        return TmsUnknown(SYSTEM, f"HTTP {reply.status}", "an answer outside the contract")
    if 400 <= reply.status < 500:
        return TmsRefused(SYSTEM, failure.code, one_line(failure.message, 200))
    return TmsUnknown(SYSTEM, f"HTTP {reply.status}", "an answer outside the contract")
