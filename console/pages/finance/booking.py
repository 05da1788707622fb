"""What finance has approved of money from outside is booked; of a payment its order goes on with it."""

import secrets
from typing import Any

from console.session.user import User
from domain.access.desk import AskAboutMoney, BookOutsideMoney
from domain.approvals import ApprovalRequest
from domain.refunds.outside import BookAs
from workflows.order.messages import BookMoney

MOST_NUMBER = 10**9
STATES = {"asked": "waits", "rejected": "rejected"}


async def at_desk(user: User, work: AskAboutMoney | BookOutsideMoney) -> Any:
    """Raises what clients raise."""
    return await (await user.desk()).do(work, 1 + secrets.randbelow(MOST_NUMBER), user.id)


async def book(user: User, money_no: int, order_no: str) -> str:
    """`booked`, or why not yet: `waits`, `rejected`. Raises what clients raise."""
    state = str((await at_desk(user, BookOutsideMoney(money_no=money_no)))["state"])
    if state == "approved":
        await (await user.orders()).book_money(order_no, BookMoney(money_no=money_no, by=user.id))
    return STATES.get(state, "booked")


def pays(request: ApprovalRequest) -> bool:
    """Whether it asks to let a payment be its order's: nothing else is left to choose once it is approved."""
    return request.kind == "outside_money" and request.content.get("book_as") == BookAs.PAYMENT
