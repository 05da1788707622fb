"""Other files in the format, with other numbers: played through running workflows all the same."""

from pathlib import Path
from typing import Any

import pytest

from bench.scenarios.document import Scenario, read_file
from bench.scenarios.environment import Servers
from bench.scenarios.run import Verdict, run

SCENARIOS = read_file(Path(__file__).parent / "variations.yaml")


@pytest.mark.parametrize("scenario", SCENARIOS, ids=lambda s: s.id)
async def test_other_numbers_are_played_by_the_same_rule(scenario: Scenario, servers: Servers) -> None:
    result = await run(scenario, servers)
    assert [(b.verdict, b.notes) for b in result.blocks] == [(Verdict.PASS, ())] * len(result.blocks)


RETRY = {
    "name": "r", "start": "2026-03-04T10:00:00+08:00", "max_retries": 1, "backoff_s": [5],
    "results": [{"ok": False, "takes_s": 1}, {"ok": True, "takes_s": 1}],
}  # fmt: skip
BOARD = {"bucket_minutes": 10, "alert_below_bp": 1, "alert_after_consecutive": 1}
START = "2026-03-02T20:00:00+08:00"
PULL = {
    "interval_s": 10**6, "first_tick": START, "paid_at": START, "timeout_at": START, "delay_threshold_s": 0,
    "callback": "lost",
}  # fmt: skip
ORDER = {
    "order_no": "SO0001", "lines": [{"id": "L1", "sku": "A", "qty": 1, "unit_price": 5, "tags": {"warehouse": "W"}}],
}  # fmt: skip


@pytest.mark.parametrize(
    ("given", "expected", "why"),
    [
        (
            {"retries": [RETRY]},
            {"retries": [{
                "name": "r", "attempts": ["2026-03-04T10:00:00+08:00", "2026-03-04T10:00:06+08:00"],
                "succeeded_at": "2026-03-04T10:00:07+08:00", "work_order_at": None,
            }]},
            "once and 3 times more",
        ),
        (
            {"board": BOARD | {"buckets": [{"at": START, "received": 1, "ok": 1}]}},
            {"board": {"rates_bp": [10_000], "total_bp": 10_000, "alerts_at": []}},
            "five minutes",
        ),
        (
            {"pull": PULL},
            {"pull": {"synced_at": START, "latency_s": 0, "counts_as_delayed": False, "auto_cancelled": False}},
            "once a day",
        ),
        (
            {"order": ORDER, "split_priority": ["customs"]},
            {"split": [{
                "child_no": "SO0001-01", "reasons": [], "lines": {"L1": 1}, "net": 5, "freight": 0, "paid": 5,
                "status": "RELEASED",
            }]},
            "every dimension",
        ),
        (
            {"timers": [{"name": "t", "start": START, "days": 40_000}]},
            {"timers": [{"name": "t", "due": "2135-09-07T20:00:00+08:00", "outcome": "FIRED"}]},
            "100 years",
        ),
        (
            {"config": {"environment": "prod", "items": [{"name": "OMS_X", "source": "env"}]}},
            {"config": {"start_allowed": True, "violations": []}},
            "no installation of ours",
        ),
    ],
)  # fmt: skip
async def test_what_no_workflow_can_be_given_is_answered_by_the_rule_and_says_so(
    given: dict[str, Any], expected: dict[str, Any], why: str, servers: Servers
) -> None:
    (block,) = (await run(Scenario("X1", given, expected), servers)).blocks
    assert block.verdict is Verdict.PASS, block.notes
    assert block.notes[0].startswith("by the rule alone: ") and why in block.notes[0]
