"""What this person may do with an order this moment; and where they may not, why.

The page only offers: the worker decides when it is asked, by the same table and by what is true then."""

from dataclasses import dataclass

from console.session.user import User
from console.text.catalogue import N_
from domain.fulfilment.merging import BEFORE_PICKING
from domain.order_states import NOT_ALL_GONE, RECEIVABLE
from domain.returns.enums import ENDS
from domain.states import ChildStatus
from store.console.order_page import OrderPageContent

NOT_YOURS = N_("Your role may not do this.")
TOO_LATE = N_("Everything has left, or the order is over.")


@dataclass(frozen=True)
class Choice:
    """`why_not`: empty where it can be done now."""

    name: str
    text: str
    icon: str
    why_not: str = ""


def choices_of(content: OrderPageContent, user: User) -> list[Choice]:
    return [
        _choice(
            user, "order.confirm_receipt", "confirm-receipt", N_("Confirm receipt"), "circle-check", _receipt(content)
        ),
        _choice(user, "order.change_address", "address", N_("Change address"), "map-pin", _address(content)),
        _choice(user, "order.hold", "hold", N_("Hold"), "clock", _hold(content)),
        _choice(user, "order.cancel", "cancel", N_("Cancel order"), "ban", _cancel(content)),
    ]


def _choice(user: User, command: str, name: str, text: str, icon: str, why_not: str) -> Choice:
    return Choice(name, text, icon, why_not if user.may_give(command) else NOT_YOURS)


def _cancel(content: OrderPageContent) -> str:
    return "" if content.detail.order.status in NOT_ALL_GONE else TOO_LATE


def _hold(content: OrderPageContent) -> str:
    return "" if content.detail.order.status in NOT_ALL_GONE else TOO_LATE


def _address(content: OrderPageContent) -> str:
    if content.detail.order.status not in NOT_ALL_GONE:
        return TOO_LATE
    states = [ChildStatus(child["status"]) for child in content.detail.children]
    return "" if not states or set(states) & BEFORE_PICKING else N_("Everything is being picked, or has left.")


def _receipt(content: OrderPageContent) -> str:
    if content.detail.order.status not in RECEIVABLE:
        return N_("There is nothing to receive now.")
    if any(case["status"] not in set(ENDS) for case in content.returns):
        return N_("A return is open: it is received when that is over.")
    return ""
