"""Messages with which people change how an order is fulfilled: updates `request_merge` and `request_resplit`."""

from typing import Annotated

from pydantic import Field

from domain.fulfilment.reallocation import Part
from domain.order import Address, Id, Tag, Text
from domain.strict import Strict
from workflows.messages import SignedCommand

ChildNo = Annotated[str, Field(min_length=1, max_length=40)]
Remark = Annotated[str, Field(max_length=200)]
"""Required: an empty one is refused (REMARK_REQUIRED)."""


class RequestMerge(SignedCommand):
    """Ship these children together. `warehouse`: where from, when they lie in different ones."""

    children: Annotated[tuple[ChildNo, ...], Field(min_length=1, max_length=100)]
    remark: Remark
    warehouse: Tag | None = None
    approver: Id | None = None
    """Who is asked, if somebody is asked by name. Any other supervisor may decide as well; the requester never."""


class RequestResplit(SignedCommand):
    """Make these children anew as `into`: every unit of theirs in exactly one part."""

    children: Annotated[tuple[ChildNo, ...], Field(min_length=1, max_length=100)]
    into: Annotated[tuple[Part, ...], Field(min_length=1, max_length=100)]
    remark: Remark


class Requested(Strict):
    """It waits for this approval. Until then everything goes on; once a child is picked it is too late."""

    approval_id: str


class ChangeAddress(SignedCommand):
    """Update `change_address`: where everything goes that nobody has picked yet."""

    address: Address
    remark: Text


class AddressChanged(Strict):
    """`changed`: children that go to the new address (new numbers where the warehouse had the old paper); `kept`: those
    that go to the old one, for they are being picked or have left. Both empty: the order has no children yet."""

    changed: tuple[str, ...]
    kept: tuple[str, ...]
