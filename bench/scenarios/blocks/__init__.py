"""What can be run, by the name of the expected block.

**To add a block**: write `blocks/<name>.py` with

    async def play(scenario: Scenario, servers: Servers) -> Any:

and add one line to `BLOCKS` below. Nothing else has to be touched. The function

1. reads its input strictly: `read(Model, block(scenario, "name"), "input.name")` with a `domain.strict.Strict` model,
   so that an unknown key, a wrong type or a missing block fails and names the place (`Malformed`);
2. plays it: `async with servers.house(policy) as house:` gives a database, production's workflows and store activities,
   the inbox with the relay's delivery, and scripted outside systems, all on skipped time
   (`bench/scenarios/environment`):

       order = order_in(scenario)                          # the scenario's order in the format's words
       life = await stocked(house, order)                  # bench/scenarios/ordered.py: goods in, placed; then paid …
       await life.pay()
       await life.ships(1)                                 # facts travel: inbox -> relay -> signal -> workflow -> store
       await house.pass_until(house.now() + timedelta(days=7))
       return {"status": (await life.detail()).order.status}

3. returns what it finds in the very shape of the expected block. Times of the file are mapped to the environment by one
   constant offset (`Shift`): durations stay exact, and what is read back is in the file's own time.

Other activities of your own: add them to `worker.inside` (own database) or to `Systems` (outside). Other workflows: to
`worker.WORKFLOWS`; they start at the time of the environment when started through `house.temporal`. Two blocks of a
scenario that need the same play share it with `servers.share(scenario, "what", play)`.

Input that follows the format but cannot be given to a running workflow: return `ByRule(actual, why)`, with the pure
rule's answer; the report prints why. A part of the format that is not built: raise `NotYet`. Build the rule, not the
case: other files in this format are run too, with other numbers.
"""

from collections.abc import Awaitable, Callable, Mapping
from typing import Any

from bench.scenarios.blocks import (
    applications,
    board,
    config,
    customs,
    events,
    exchange_gate,
    inspection,
    kpi,
    ledger,
    merge,
    pricing,
    pull,
    push,
    refund_gate,
    refunds,
    retries,
    risk,
    split,
    timers,
)
from bench.scenarios.document import Scenario
from bench.scenarios.environment import Servers

Block = Callable[[Scenario, Servers], Awaitable[Any]]

BLOCKS: Mapping[str, Block] = {
    "pricing": pricing.play,
    "split": split.play,
    "split_alt": split.play_alt,
    "timers": timers.play,
    "events": events.play,
    "retries": retries.play,
    "pull": pull.play,
    "config": config.play,
    "board": board.play,
    "customs": customs.play,
    "merge": merge.play,
    "refunds": refunds.play,
    "refunds_alt": refunds.play_alt,
    "refund_totals": refunds.play_totals,
    "refund_gate": refund_gate.play,
    "ledger": ledger.play,
    "ledger_replacement": ledger.play_replacement,
    "inspection": inspection.play,
    "exchange_gate": exchange_gate.play,
    "applications": applications.play,
    "kpi": kpi.play,
    "risk": risk.play,
    "push": push.play,
}

INPUTS = frozenset(
    {
        "applications", "approval", "approval_alt", "board", "cases", "children", "config", "customs", "events",
        "exchange_gate", "freight_policy", "initial_state", "inspection", "kpi", "late_payment", "ledger",
        "ledger_replacement", "merge_requests", "order", "pull", "push", "refund_gate", "retries", "risk",
        "split_priority", "split_priority_alt", "stock", "timers",
    }
)  # fmt: skip
"""Input blocks of the format. Any other is taken for a misspelling: what it was to say cannot be left out."""
