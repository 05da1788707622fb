"""What can be run, by the name of the expected block. A new block is one file here and one line in `BLOCKS`.

A block takes a scenario and returns what it finds, in the shape of the expected block; it raises `Malformed` for
input that does not follow the format and `NotYet` for a part of it that is not built. Any function of that shape can
stand in a slot: one that plays the scenario through a running workflow as well as one that calls a pure rule.
"""

from collections.abc import Callable, Mapping
from typing import Any

from bench.scenarios.blocks import board, config, events, late_payment, pricing, pull, retries, split, timers
from bench.scenarios.document import Scenario

Block = Callable[[Scenario], Any]

BLOCKS: Mapping[str, Block] = {
    "pricing": pricing.run,
    "split": split.run,
    "split_alt": split.run_alt,
    "timers": timers.run,
    "events": events.run,
    "retries": retries.run,
    "pull": pull.run,
    "config": config.run,
    "board": board.run,
    "refunds": late_payment.run,
    "refund_totals": late_payment.run_totals,
}

PLANNED = frozenset(
    {
        "applications", "customs", "exchange_gate", "inspection", "kpi", "ledger",
        "ledger_replacement", "merge", "push", "refund_gate", "refunds_alt", "risk",
    }
)  # fmt: skip
"""Expected blocks of the format that nothing here runs yet."""

INPUTS = frozenset(
    {
        "applications", "approval", "approval_alt", "board", "cases", "children", "config", "customs", "events",
        "exchange_gate", "freight_policy", "initial_state", "inspection", "kpi", "late_payment", "ledger",
        "ledger_replacement", "merge_requests", "order", "pull", "push", "refund_gate", "retries", "risk",
        "split_priority", "split_priority_alt", "stock", "timers",
    }
)  # fmt: skip
"""Input blocks of the format. Any other is taken for a misspelling: what it was to say cannot be left out."""
