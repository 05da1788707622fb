"""What an automation has an order's workflow do: told as a fact of our own through the inbox (decision 0072)."""

from typing import Annotated, Literal

from pydantic import Field

from domain.order import Id, Text
from domain.strict import Strict

SOURCE = "automation"
"""Of the facts; no other system may call itself so."""
BY = "automation:"
"""How the name begins under which one acts; its id follows. It is the rule of what it holds, too."""
HeldFor = Literal["risk", "address", "message", "stock_check", "other"]
AutomationId = Annotated[str, Field(pattern=r"^[a-z][a-z0-9-]{1,29}$")]


class HoldAct(Strict):
    """Nothing of the order leaves, until somebody who may lets it go, or its time is over."""

    act: Literal["hold"] = "hold"
    kind: HeldFor = "other"
    reason: Text
    ends_after_s: Annotated[int, Field(ge=60, le=90 * 86_400)] | None = None


class ReleaseAct(Strict):
    """Ends what automations hold, and nothing that a person or a fact holds. `of`: that one's alone; None: any's."""

    act: Literal["release"] = "release"
    of: AutomationId | None = None
    reason: Text = "the automation lets it go"


class CarrierAct(Strict):
    """Parcels that no warehouse has yet go with this carrier."""

    act: Literal["carrier"] = "carrier"
    carrier: Id


class RefundAct(Strict):
    """What has not left is stopped and paid back, as the approval matrix says of it; not more than `at_most_minor`."""

    act: Literal["refund"] = "refund"
    at_most_minor: Annotated[int, Field(ge=1, le=10**9)]
    reason: Text


OrderAct = Annotated[HoldAct | ReleaseAct | CarrierAct | RefundAct, Field(discriminator="act")]


class Asked(Strict):
    """Of one fact: who has an order do what."""

    automation: AutomationId
    do: OrderAct
