"""Two of finance: what a person says of money counts when a second one says the same."""

from datetime import datetime
from typing import Literal

from store.outside_money.chargebacks import Chargeback, ChargebackStore

TWO_OF_FINANCE = ("u-fin", "u-fin2")


async def decided(store: ChargebackStore, number: str, outcome: Literal["lost", "won"], at: datetime) -> Chargeback:
    for person in TWO_OF_FINANCE:
        told = await store.decide(number, outcome, person, at)
    return told


async def accounted(store: ChargebackStore, number: str, at: datetime) -> Chargeback:
    for person in TWO_OF_FINANCE:
        told = await store.account(number, person, "compared with what is owed", at)
    return told
