"""What a draft of rules would have done to past orders, kept for whoever decides about it."""

import asyncio
import time
from collections.abc import Callable
from datetime import datetime, timedelta

from domain.rules.engine import RuleEngine, engine_of
from domain.rules.simulation import Simulated, Simulation
from store.pool import Pool
from store.rules.past_plans import PastOrders
from store.rules.rule_sets import RuleSetStore


class RuleTrials:
    def __init__(self, pool: Pool) -> None:
        self._pool = pool
        self._rules = RuleSetStore(pool)

    async def simulate(
        self,
        draft_no: int,
        last: int,
        days: int,
        by: str,
        now: datetime,
        tell: Callable[[int], None] | None = None,
        longest_s: float | None = None,
    ) -> Simulated:
        """At most `last` orders of the last `days`, as many as `longest_s` lets. Raises `NoSuchRuleSet`,
        `UnableToDecide`; then nothing is kept."""
        draft = await self._rules.draft_of(draft_no)
        work = Simulation(await self.counts(), await asyncio.to_thread(engine_of, draft.rule_set))
        begun, done = time.monotonic(), 0
        async for order in PastOrders(self._pool).newest(last, now - timedelta(days=days)):
            await asyncio.to_thread(work.take, order)
            done += 1
            if tell is not None:
                tell(done)
            if longest_s is not None and time.monotonic() - begun > longest_s:
                break
        found = work.result()
        await self._rules.keep_simulation(draft_no, dict(found.summary), by, now)
        return found

    async def counts(self) -> RuleEngine:
        """What new orders are asked of."""
        return await asyncio.to_thread(engine_of, await self._rules.current_set())
