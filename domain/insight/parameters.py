"""What the business sets for its reports: tiers of cities, points of severity, the promise. Versioned (R66, R72)."""

from collections.abc import Mapping
from enum import StrEnum
from typing import Annotated

from pydantic import Field

from domain.order import Text
from domain.strict import Strict

Points = Annotated[int, Field(ge=0, le=10_000)]


class AnomalyKind(StrEnum):
    REFUND_BEFORE_GOODS = "refund_before_goods"
    """Money went back, or was to, before or without the goods."""
    CUSTOMER_STUCK = "customer_stuck"
    """An order waits for a person."""
    STATE_MISMATCH = "state_mismatch"
    """Two books differ, or a fact does not fit the status."""
    SPLIT_DISPUTED = "split_disputed"
    """How the order is divided, or from where it is sent, is in question."""


_FIRST = ("上海", "北京", "深圳", "广州")
_NEW_FIRST = (
    "成都", "杭州", "重庆", "武汉", "苏州", "西安", "南京",
    "长沙", "郑州", "天津", "合肥", "青岛", "东莞", "宁波", "佛山",
)  # fmt: skip
BUILT_IN_TIERS: Mapping[str, str] = dict.fromkeys(_FIRST, "tier1") | dict.fromkeys(_NEW_FIRST, "new_tier1")
"""A yearly ranking of the media (2025): for each installation to edit."""


class InsightParameters(Strict):
    """`other_tier`: of cities that the table does not name; None: their orders count in the total only."""

    version: Annotated[int, Field(ge=0)] = 0
    city_tiers: dict[Text, Text] = Field(default_factory=lambda: dict(BUILT_IN_TIERS), max_length=5_000)
    other_tier: Text | None = "other"
    severity: dict[AnomalyKind, Points] = Field(
        default_factory=lambda: {
            AnomalyKind.REFUND_BEFORE_GOODS: 50,
            AnomalyKind.CUSTOMER_STUCK: 30,
            AnomalyKind.STATE_MISMATCH: 20,
            AnomalyKind.SPLIT_DISPUTED: 10,
        }
    )
    hours_cap: Points = 48
    amount_cap: Points = 20
    dispatch_hours: Annotated[int, Field(ge=1, le=24 * 365)] = 48
    """Promised from payment to handing over, where the order names no other time."""

    def tier(self, city: str | None, province: str | None = None) -> str | None:
        """Of an address. A municipality may stand as the province alone. None: unknown."""
        for name in (city, province):
            short = (name or "").removesuffix("市")
            if short in self.city_tiers:
                return self.city_tiers[short]
        return self.other_tier if city and not city.startswith("[") else None
