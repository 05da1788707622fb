"""Reading what the warehouse answers to our calls."""

from datetime import datetime
from typing import NamedTuple
from xml.etree.ElementTree import Element

from domain.facts import Fact, Kind
from providers.http import Faults, Reply, raise_for_outage
from providers.qimen.errors import SYSTEM, WmsUnavailable, WmsUnknown
from providers.qimen.facts import STATUS_KINDS, fact, lacking, shipped
from providers.qimen.fields import time_of
from providers.qimen.models import OutboundState
from providers.qimen.xml import UnableToReadXml, one, parse, text_of

FAULTS = Faults(not_sent=WmsUnavailable, unknown=WmsUnknown)


class QimenAnswer(NamedTuple):
    """One complete Qimen answer; `code` upper case."""

    ok: bool
    code: str
    message: str
    document: Element


def read(reply: Reply) -> QimenAnswer:
    """Raises `WmsUnavailable` when a door before the warehouse turned the call away, `WmsUnknown` for 5xx and for a
    200 that is not Qimen's."""
    raise_for_outage(SYSTEM, reply, FAULTS)
    if reply.status != 200:
        # A warehouse answers 200 even when it refuses. Anything else is a gateway, a redirect or a wrong address, and
        # that is an outage, never a refusal of the order.
        raise WmsUnavailable(
            SYSTEM, f"HTTP {reply.status}", "turned away at the door; check the address and the gateway"
        )
    try:
        document = parse(reply.body, "response")
        flag = text_of(document, "flag")
        if flag not in ("success", "failure"):
            raise UnableToReadXml("flag", "the flag is neither success nor failure")
        code = (text_of(document, "code") or "").upper()
        return QimenAnswer(flag == "success", code, text_of(document, "message", longest=2000) or "", document)
    except UnableToReadXml as e:
        raise garbage(e) from e


def state(child_no: str, document: Element, now: datetime) -> OutboundState:
    """A successful answer to deliveryorder.query. Raises `WmsUnknown`: unreadable, or about another order."""
    try:
        order = one(document, "deliveryOrder")
        if text_of(order, "deliveryOrderCode") != child_no:
            raise UnableToReadXml("other_order", f"asked for {child_no}, the answer is about another order")
        status = (text_of(order, "status") or "").upper()
        at = time_of(order, "operateTime") or time_of(order, "orderConfirmTime") or now
        return OutboundState(
            child_no=child_no,
            found=True,
            status=status,
            delivery_order_id=text_of(order, "deliveryOrderId"),
            facts=_facts(child_no, status, at, document),
        )
    except UnableToReadXml as e:
        raise garbage(e) from e


def garbage(why: UnableToReadXml) -> WmsUnknown:
    """The error an unreadable answer stands for."""
    return WmsUnknown(SYSTEM, f"answer {why.reason}", f"the answer cannot be read: {why}")


def _facts(child_no: str, status: str, at: datetime, document: Element) -> tuple[Fact, ...]:
    if status == "DELIVERED":
        return shipped(child_no, at, document)
    found = []
    if short := lacking(document):
        found.append(fact(Kind.SHORT_PICKED, child_no, at, actual=short))
    if kind := STATUS_KINDS.get(status):
        found.append(fact(kind, child_no, at))
    return tuple(found)
