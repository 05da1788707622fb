"""What a weekly meeting agrees on, and what closes it (R73)."""

from datetime import date
from typing import Annotated, Literal

from pydantic import AfterValidator, Field, StringConstraints

from domain.order import Id, Text
from domain.strict import Strict

HeldBy = Literal["rules", "policy", "automations", "forms", "insight"]
"""A rule set, a policy, a book of automations or after-sales forms, or what reports go by."""


def _in_the_calendar(day: str) -> str:
    date.fromisoformat(day)
    return day


Day = Annotated[
    str,
    StringConstraints(pattern=r"^20[0-9]{2}-(0[1-9]|1[0-2])-(0[1-9]|[12][0-9]|3[01])$"),
    AfterValidator(_in_the_calendar),
]
Week = Annotated[str, StringConstraints(pattern=r"^20[0-9]{2}-W(0[1-9]|[1-4][0-9]|5[0-3])$")]


class AddAction(Strict):
    """About one of the worst anomalies of a week. `owner`: a person; `due`: a day, 2026-04-30."""

    kind: Literal["add_action"] = "add_action"
    week: Week
    anomaly_id: Annotated[str, Field(min_length=1, max_length=100)]
    text: Annotated[Text, Field(min_length=1)]
    owner: Id
    due: Day


class CloseAction(Strict):
    """`version`: of the rule set, policy, book or parameters that keep the anomaly away; published since."""

    kind: Literal["close_action"] = "close_action"
    action_no: Annotated[int, Field(ge=1, le=2**62)]
    held_by: HeldBy
    version: Annotated[int, Field(ge=0, le=2**31 - 1)]
