"""Customs' part: assesses, takes declarations, remembers what was withdrawn."""

from typing import Any

from temporalio import activity

from activities.customs import Assess, DeclareCall, Declared, Noted
from activities.provider_errors import outside
from domain.fulfilment.clearance import Assessment
from tests.workflows.world.faults import Faults


class BorderDesk:
    """`limit`: why the next assessments find that a child may not go; empty: it may."""

    def __init__(self, faults: Faults) -> None:
        self._faults = faults
        self.limit = ""
        self.assessed: list[str] = []
        self.declared: list[DeclareCall] = []
        self.references: dict[str, str] = {}
        self.withdrawn: list[str] = []

    def activities(self) -> list[Any]:
        return [self.assess, self.declare, self.note, self.withdraw]

    @activity.defn(name="customs.assess")
    async def assess(self, message: Assess) -> Assessment:
        self.assessed.append(message.child_no)
        known = {"child_no": message.child_no, "identity": "b-1", "why": self.limit}
        fees = {"product_fee_minor": 4000, "transport_fee_minor": 240, "tax_minor": 455}
        return Assessment.model_validate(known | ({"may_go": False} if self.limit else {"may_go": True, **fees}))

    @activity.defn(name="customs.declare")
    async def declare(self, call: DeclareCall) -> Declared:
        async with outside(call):
            self._faults.attempt("declare")
        self.declared.append(call)
        return Declared(reference=f"WX-{call.child_no}")

    @activity.defn(name="customs.declared")
    async def note(self, message: Noted) -> None:
        self.references[message.child_no] = message.reference

    @activity.defn(name="customs.withdraw")
    async def withdraw(self, message: Noted) -> None:
        self.withdrawn.append(message.child_no)
