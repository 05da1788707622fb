"""The return risk is trained by the worker: read in one snapshot, learnt beside the event loop, kept as a version."""

import asyncio
from typing import Any

from pydantic import AwareDatetime
from temporalio import activity
from temporalio.exceptions import ApplicationError

from activities.insight.reports import settle_ticket
from activities.insight.training import Given, Labelled, train
from domain.clock import Clock
from domain.insight.evaluation import Outcome
from domain.insight.periods import NoSuchPeriod, month, month_before
from domain.order import Id
from domain.strict import Strict
from store.insight.risk_models import LABEL_AFTER, RiskModelStore
from store.pool import Pool
from store.tickets.tickets import TicketStore


class TrainRisk(Strict):
    """`month`: the one that is over (2026-10). The last one by then of which every order has had its time to come back
    is held out."""

    month: Id
    as_of: AwareDatetime


class RiskTrained(Strict):
    """`version`: of the training; `outcome`: whether its model judges from now on, or why not."""

    version: int
    held_out: str
    outcome: Outcome


class RiskActivities:
    def __init__(self, pool: Pool, clock: Clock) -> None:
        self._models = RiskModelStore(pool)
        self._tickets = TicketStore(pool)
        self._clock = clock

    @activity.defn(name="insight.train_risk")
    async def train_risk(self, wanted: TrainRisk) -> RiskTrained:
        """May be repeated: the same orders make no new version."""
        trained = await self.trained(wanted, "system")
        await settle_ticket(self._tickets, "risk", wanted.month, self._clock())
        return trained

    async def trained(self, wanted: TrainRisk, by: str) -> RiskTrained:
        try:
            month(wanted.month)
        except NoSuchPeriod as error:
            raise ApplicationError(str(error), type="NoSuchPeriod", non_retryable=True) from None
        held_out = month_before(wanted.as_of - LABEL_AFTER)
        history = await self._models.history(held_out)
        given = Given(
            held_out.name, Labelled(*history.before), Labelled(*history.held_out), history.left_out, history.table,
            history.in_force, history.newest + 1,
        )  # fmt: skip
        training, model = await asyncio.to_thread(train, given)
        version = await self._models.put(given.version, training, model, by, self._clock())
        return RiskTrained(version=version, held_out=held_out.name, outcome=training.outcome)

    @property
    def methods(self) -> list[Any]:
        return [self.train_risk]
