"""Whose work a ticket is (R71): told by the system that it names, and by what is asked."""

from collections.abc import Mapping
from enum import StrEnum
from typing import get_args

from domain.access.authority import MONEY_WORDS
from domain.approvals import Role
from domain.order import PayChannel


class Team(StrEnum):
    SERVICE = "service"
    WAREHOUSE = "warehouse"
    FINANCE = "finance"
    TECH = "tech"


FINANCE_SYSTEMS = frozenset({*get_args(PayChannel), "payment", "finance", "money"})
FINANCE_WORDS = (*MONEY_WORDS, "trade bill", "channel's bill")
WAREHOUSE_SYSTEMS = frozenset(
    {
        "qimen",
        "wms",
        "tms",
        "carrier",
        "stock",
        "dispatch",
        "supplier",
        "customs",
        "catalog",
        "return desk",
        "kuaidi100",
        "sf",
        "courier",
    }
)
SERVICE_SYSTEMS = frozenset({"orders", "approvals"})
TECH_STEPS = frozenset(
    {
        "callback rate", "pull", "dead letter", "parked event", "order without workflow", "unread signal",
        "event not applied", "conflicting event", "step broken off", "courier unreachable",
    }
)  # fmt: skip
"""Whatever the system: what is wrong lies between it and us."""
ROLES: Mapping[Team, frozenset[Role]] = {
    Team.SERVICE: frozenset({Role.CS_AGENT, Role.CS_SUPERVISOR}),
    Team.WAREHOUSE: frozenset({Role.WAREHOUSE}),
    Team.FINANCE: frozenset({Role.FINANCE}),
    Team.TECH: frozenset({Role.ORDER_OPS}),
}


def team_of(system: str, step: str) -> Team:
    """The queries of `store/tickets/pages.py` say the same; a test holds them together."""
    if step in TECH_STEPS:
        return Team.TECH
    if system in FINANCE_SYSTEMS or any(word in step for word in FINANCE_WORDS):
        return Team.FINANCE
    if system in WAREHOUSE_SYSTEMS:
        return Team.WAREHOUSE
    return Team.SERVICE if system in SERVICE_SYSTEMS else Team.TECH
