"""Holds: what must not leave the warehouse yet, why, who may let it go, and what lets it go by itself (R81).

A hold is an axis of its own beside the state of a child: goods wait for it whatever else is true of them. It is on an
order, with every child that it has or will have, or on one child and whatever ships in its place.
"""

from collections.abc import Iterable, Mapping
from enum import StrEnum
from typing import Annotated, Literal

from pydantic import AwareDatetime, Field

from domain.approvals import Role
from domain.facts import Kind
from domain.insight.risk import RiskScore
from domain.order import Id, Text
from domain.strict import Strict

R = Role
MOST_OPEN = 50
"""Of one order."""
RISK_RULE = "return-risk"
"""The rule that holds what the points of `domain/insight/risk.py` call a high risk: softly, for its time."""
KEPT = 100
"""Of one order: those that have ended are forgotten by its workflow, the oldest first. The books keep them."""


class HoldKind(StrEnum):
    RISK = "risk"
    ADDRESS = "address"
    MESSAGE = "message"
    """Something that the buyer has said."""
    CUSTOMS = "customs"
    STOCK_CHECK = "stock_check"
    DISPUTE = "dispute"
    OTHER = "other"


class HoldCause(StrEnum):
    """What ends a hold without a person."""

    ADDRESS_CHANGED = "address_changed"
    CUSTOMS_RELEASED = "customs_released"
    DISPUTE_WON = "dispute_won"
    TIME = "time"


class HoldEnd(StrEnum):
    RELEASED = "released"
    """By a person."""
    CAUSE = "cause"
    TOO_LATE = "too_late"
    """Everything had left, or could not be stopped any more."""
    NOTHING_LEFT = "nothing_left"
    """What it held has been cancelled."""


HoldSource = Literal["hand", "rule", "fact"]

RELEASERS: Mapping[HoldKind, tuple[Role, ...]] = {
    HoldKind.RISK: (R.CS_AGENT, R.CS_SUPERVISOR, R.ORDER_OPS),
    HoldKind.ADDRESS: (R.CS_AGENT, R.CS_SUPERVISOR),
    HoldKind.MESSAGE: (R.CS_AGENT, R.CS_SUPERVISOR),
    HoldKind.CUSTOMS: (),
    HoldKind.STOCK_CHECK: (R.WAREHOUSE, R.ORDER_OPS),
    HoldKind.DISPUTE: (R.FINANCE, R.CS_SUPERVISOR),
    HoldKind.OTHER: (R.CS_SUPERVISOR, R.ORDER_OPS),
}
"""Who may let it go: any of them. Nobody: it lets go by itself."""
BUYER_SAYS: Mapping[Kind, tuple[HoldKind, str]] = {
    Kind.BUYER_ADDRESS: (HoldKind.ADDRESS, "the buyer wants another address"),
    Kind.BUYER_REMARK: (HoldKind.MESSAGE, "the buyer has written"),
    Kind.BUYER_REFUND: (HoldKind.MESSAGE, "the buyer asks for the money back"),
}
"""What is held for what a buyer tells the channel (R90), and why."""
ENDS_WITH: Mapping[HoldCause, HoldKind] = {
    HoldCause.ADDRESS_CHANGED: HoldKind.ADDRESS,
    HoldCause.CUSTOMS_RELEASED: HoldKind.CUSTOMS,
    HoldCause.DISPUTE_WON: HoldKind.DISPUTE,
}
"""Which holds let go when something happens. What has a time lets go then, whatever it is about."""
BY_HAND = tuple(kind for kind, roles in RELEASERS.items() if roles)
"""What somebody may hold for."""
ASK_AFTER_S = 24 * 3600
"""A person is asked what to do with a hold that has lasted so long, and again after the same time."""


class Hold(Strict):
    """One hold as its order knows it. `hold_id` = `H-{order_no}-{n}`."""

    hold_id: str
    kind: HoldKind
    source: HoldSource
    rule: str | None = None
    """Which rule holds, where one does: it holds an order once."""
    risk: RiskScore | None = None
    """Of `RISK_RULE`: why somebody is to look at the order."""
    child_no: str | None = None
    """None: the whole order."""
    children: tuple[str, ...] = ()
    """Of a hold on a child: it, and the children that ship in its place."""
    reason: Text
    remark: str = ""
    placed_by: Id
    placed_at: AwareDatetime
    ends_at: AwareDatetime | None = None
    """It ends then by itself."""
    ask_after_s: Annotated[int, Field(ge=60)] = ASK_AFTER_S
    stopped: tuple[str, ...] = ()
    """Children that the warehouse had, and has stopped: they ship again under new numbers."""
    too_late: tuple[str, ...] = ()
    """Children that could not be stopped any more: they ship."""
    ended_at: AwareDatetime | None = None
    end: HoldEnd | None = None
    ended_by: str | None = None
    end_remark: str = ""
    helped: bool | None = None
    """Whoever looked at the return risk says whether it did."""

    @property
    def is_open(self) -> bool:
        return self.end is None

    def covers(self, child_no: str) -> bool:
        """Whether it is on this child, stopped or not."""
        return self.child_no is None or child_no in self.children

    def keeps(self, child_no: str) -> bool:
        """Whether this child waits for it."""
        return self.is_open and self.covers(child_no) and child_no not in self.too_late


def inherited(hold: Hold, child_no: str, replaces: Iterable[str]) -> Hold:
    """With a child that ships in the place of others: what was held about them is held about it."""
    if hold.child_no is None or not set(replaces) & set(hold.children) or child_no in hold.children:
        return hold
    return hold.model_copy(update={"children": (*hold.children, child_no)})
