"""One automation, and the book of all of them: what is published in versions, by two people.

Automation(id="big-ones", name="Above 500 yuan", on=TriggerMoment(trigger="order_paid"),
           condition='channel == "douyin" and amount_minor > 50000',
           do=HoldAct(reason="above 500 yuan: somebody looks first"))
"""

import hashlib
import json
from collections.abc import Mapping
from enum import StrEnum
from typing import Annotated, Literal, Self

from pydantic import Field, model_validator

from domain.approvals import Role
from domain.automation.acts import AutomationId, CarrierAct, HeldFor, HoldAct, RefundAct, ReleaseAct
from domain.order import Id, Text
from domain.strict import Strict
from domain.tickets import Severity

MOST = 50
"""Automations of one book."""


class Trigger(StrEnum):
    PLACED = "order_placed"
    PAID = "order_paid"
    SPLIT = "order_split"
    CHILD_WAITS = "child_waits"
    """A child has not left so long after its order was paid."""
    DEADLINE = "deadline_near"
    RETURN = "return_applied"
    SILENT = "waybill_silent"
    """No courier has scanned it for so long."""
    TICKET = "ticket_opened"
    STOCK = "stock_arrived"
    MESSAGE = "channel_message"
    """The buyer has told the channel something: an address, a remark, that they want their money back."""


TIMED = frozenset({Trigger.CHILD_WAITS, Trigger.DEADLINE, Trigger.SILENT})
"""What nobody tells us: it is looked for."""


class TriggerMoment(Strict):
    """`after_s`: of what waits or is silent: for how long. Of a deadline one of: `before_s` ahead of it, or `at` that
    time of the day of the deadline, in Shanghai."""

    trigger: Trigger
    after_s: Annotated[int, Field(ge=60, le=60 * 86_400)] | None = None
    before_s: Annotated[int, Field(ge=60, le=30 * 86_400)] | None = None
    at: Annotated[str, Field(pattern=r"^([01][0-9]|2[0-3]):[0-5][0-9]$")] | None = None

    @model_validator(mode="after")
    def _what_it_needs(self) -> Self:
        deadline = self.trigger is Trigger.DEADLINE
        if (self.after_s is not None) != (self.trigger in (Trigger.CHILD_WAITS, Trigger.SILENT)):
            raise ValueError("after_s belongs to child_waits and waybill_silent, and to no other")
        if ((self.before_s is None) == (self.at is None)) if deadline else (self.before_s or self.at):
            raise ValueError("a deadline has either before_s or at; nothing else has")
        return self


class TagAct(Strict):
    act: Literal["tag"] = "tag"
    tag: Annotated[str, Field(min_length=1, max_length=30)]


class NoteAct(Strict):
    act: Literal["note"] = "note"
    text: Text


class AssignAct(Strict):
    """The ticket that was opened gets somebody who looks after it."""

    act: Literal["assign"] = "assign"
    owner: Id


class NotifyAct(Strict):
    """A ticket, of which the team hears that its loudness tells."""

    act: Literal["notify"] = "notify"
    severity: Severity = "normal"
    text: Text


class WebhookAct(Strict):
    """Whoever subscribes to `automation.fired` hears of it."""

    act: Literal["webhook"] = "webhook"


class ApprovalAct(Strict):
    """The order is held, and a person of `role` asked: agreed, it goes on; else it stays, and a ticket says so."""

    act: Literal["approval"] = "approval"
    role: Literal[Role.CS_SUPERVISOR, Role.FINANCE, Role.ORDER_OPS]
    question: Text
    kind: HeldFor = "other"


class RefreshAct(Strict):
    """Payment, warehouse and courier are asked about it as soon as each of them may be."""

    act: Literal["refresh"] = "refresh"


Act = Annotated[
    HoldAct | ReleaseAct | CarrierAct | RefundAct | TagAct | NoteAct | AssignAct | NotifyAct | WebhookAct
    | ApprovalAct | RefreshAct,
    Field(discriminator="act"),
]  # fmt: skip
ON_ORDERS = (HoldAct, ReleaseAct, CarrierAct, RefundAct)
"""What the order's own workflow does."""
MOVES = frozenset({"hold", "release", "carrier", "refund", "approval"})
"""What moves goods or money, or keeps them from moving: tried on past orders before anybody may publish it."""
_SAYS = frozenset({"tag", "note", "notify", "webhook"})
MATRIX: Mapping[Trigger, frozenset[str]] = {
    Trigger.PLACED: _SAYS | {"hold", "approval"},
    Trigger.PAID: _SAYS | {"hold", "approval"},
    Trigger.SPLIT: _SAYS | {"hold", "approval", "carrier"},
    Trigger.CHILD_WAITS: _SAYS | {"hold", "approval", "release", "refresh", "carrier", "refund"},
    Trigger.DEADLINE: _SAYS | {"approval", "release", "refresh", "refund"},
    Trigger.RETURN: _SAYS | {"hold"},
    Trigger.SILENT: _SAYS | {"refresh"},
    Trigger.TICKET: _SAYS | {"assign", "hold", "refresh"},
    Trigger.STOCK: _SAYS | {"release", "refresh"},
    Trigger.MESSAGE: _SAYS | {"hold", "approval", "refund"},
}
"""Which action a trigger may have."""


class Automation(Strict):
    """`on` what, if `condition` (empty: always) holds of the order, is done `do`: once for an order."""

    id: AutomationId
    name: Text
    on: TriggerMoment
    condition: Annotated[str, Field(max_length=500)] = ""
    do: Act
    enabled: bool = True

    @model_validator(mode="after")
    def _allowed(self) -> Self:
        if self.do.act not in MATRIX[self.on.trigger]:
            may = ", ".join(sorted(MATRIX[self.on.trigger]))
            raise ValueError(f"{self.on.trigger} may not {self.do.act}; it may {may}")
        return self

    @property
    def content_hash(self) -> str:
        """Of what it does, whatever it is called, and whether it is on or not."""
        plain = self.model_dump(mode="json", include={"on", "condition", "do"})
        return hashlib.sha256(json.dumps(plain, sort_keys=True, ensure_ascii=False).encode()).hexdigest()

    @property
    def moves(self) -> bool:
        return self.do.act in MOVES


class AutomationBook(Strict):
    """All of them; `version` as given is ignored when it is published."""

    version: Annotated[int, Field(ge=0)] = 0
    automations: Annotated[tuple[Automation, ...], Field(max_length=MOST)] = ()

    @model_validator(mode="after")
    def _once(self) -> Self:
        ids = [one.id for one in self.automations]
        if len(set(ids)) != len(ids):
            raise ValueError("two automations have one id")
        return self

    def find(self, automation_id: str) -> Automation | None:
        return next((one for one in self.automations if one.id == automation_id), None)

    def with_one(self, new: Automation) -> "AutomationBook":
        """In the place of the one of its id, or behind the others."""
        if self.find(new.id) is None:
            return AutomationBook(version=self.version, automations=(*self.automations, new))
        kept = tuple(new if one.id == new.id else one for one in self.automations)
        return AutomationBook(version=self.version, automations=kept)

    def without(self, automation_id: str) -> "AutomationBook":
        kept = tuple(one for one in self.automations if one.id != automation_id)
        return AutomationBook(version=self.version, automations=kept)
