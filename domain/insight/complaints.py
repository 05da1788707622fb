"""Complaints of buyers, as their channels number them (R21): counted, and nothing kept of what was written."""

from enum import StrEnum
from typing import Literal

from domain.order import Id, OrderNo, OrderTime
from domain.strict import Strict


class About(StrEnum):
    """What a complaint is about."""

    LATE = "late"
    LOST = "lost"
    DAMAGED = "damaged"
    WRONG = "wrong"
    """Other goods than ordered, or too few."""
    QUALITY = "quality"
    MONEY = "money"
    """A refund or a price."""
    SERVICE = "service"
    OTHER = "other"


class TellComplaint(Strict):
    """`complaint_no`: its number at the order's channel, which counts once."""

    kind: Literal["tell_complaint"] = "tell_complaint"
    order_no: OrderNo
    complaint_no: Id
    about: About
    complained_at: OrderTime
