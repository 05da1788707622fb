"""A buyer's link: signed by a backend of the shop, for one order and its buyer, for some days.

Who has it sees the returns of that order and gives the commands of a buyer, in that buyer's name and no other.
"""

from datetime import timedelta

from domain.access.authority import Binding, message_hash

BUYER_LINK = "buyer.link"
LINK_LIVES = timedelta(days=14)
GUEST_LINK_LIVES = timedelta(days=1)
"""Of one that is given for a code: another code is soon there."""
LONGEST_LINK = timedelta(days=60)
BUYER_COMMANDS = frozenset({"return.apply", "return.cancel", "return.enter_waybill"})
"""What becomes a proof when it is asked for with a link."""
_ORDER = "order/"


def link_binding(order_no: str) -> Binding:
    return Binding(f"{_ORDER}{order_no}", BUYER_LINK, message_hash({}))


def order_of_link(workflow_id: object) -> str | None:
    """The number of the order that a link is for; None: it is no link."""
    text = workflow_id if isinstance(workflow_id, str) else ""
    return text.removeprefix(_ORDER) if text.startswith(_ORDER) else None


def buyer_may(binding: Binding) -> bool:
    return binding.command in BUYER_COMMANDS and binding.workflow_id.startswith("return/")
