"""What goes to the warehouse and comes back, in our words."""

from dataclasses import dataclass, field
from enum import StrEnum
from typing import Annotated

from pydantic import AwareDatetime, Field

from domain.facts import Fact
from domain.order import Address, Id, Qty, Sku, Tag, Text
from domain.strict import Strict


@dataclass(frozen=True)
class QimenConfig:
    """Account at the warehouse. `base_url` is the whole address the calls go to, without query."""

    base_url: str
    app_key: str
    customer_id: str
    secret: str = field(repr=False)
    duplicate_codes: frozenset[str] = frozenset()
    """Upper case: how this warehouse says besides that it has an order already (`errors.DUPLICATE`)."""


class QimenLine(Strict):
    """Units of one order line. `line_id` travels as orderLineNo and comes back in every confirmation."""

    line_id: Id
    sku: Sku
    qty: Qty
    name: Text | None = None


class PushOutbound(Strict):
    """One child order for one warehouse. The same child_no with the same content may be pushed any number of times."""

    child_no: Id
    warehouse: Tag
    placed_at: AwareDatetime
    receiver: Address
    lines: Annotated[tuple[QimenLine, ...], Field(min_length=1)]
    shop: Id = "OTHER"
    """Sales channel, told as sourcePlatformCode."""
    carrier: str | None = None
    """logisticsCode, when the carrier is already chosen."""
    buyer_identity: Id | None = None
    """extendProps/buyerIdentity, of goods that cross the border: a reference or a hash, never a document's number."""


class QimenPushed(Strict):
    child_no: str
    delivery_order_id: str | None = None
    """The warehouse's own number; some leave it out when they repeat an answer."""
    duplicate: bool = False
    """The warehouse had it already."""


class CancelResult(StrEnum):
    CANCELLED = "cancelled"
    """The order will not leave the warehouse."""
    PENDING = "pending"
    """A person there is looking for it: INTERCEPTED or INTERCEPT_REFUSED follows, and shipping may overtake both."""
    TOO_LATE = "too_late"
    """It has left."""
    ABSENT = "absent"
    """The warehouse knows no such order: nothing of it can leave, unless a push of it is still on its way."""


class OutboundState(Strict):
    """What the warehouse answers when asked. `found` False: it has no such order, so a push never arrived."""

    child_no: str
    found: bool
    status: str = ""
    """Qimen's own word (ACCEPT, PICK, DELIVERED …), for people."""
    delivery_order_id: str | None = None
    facts: tuple[Fact, ...] = ()
    """With the keys its callbacks carry, so that asking and hearing dedupe against each other."""
