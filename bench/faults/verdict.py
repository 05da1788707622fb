"""Lost, unexpected, duplicated: the three sets that must be empty, from the ledgers of both sides."""

from collections import Counter
from collections.abc import Sequence
from dataclasses import dataclass

from bench.checks.order_invariants import Finding, World


@dataclass(frozen=True)
class Verdict:
    """`slowest_ack_s`: the longest that any sender waited for its acknowledgement."""

    injected: int
    callbacks: int
    lost: int
    unexpected: int
    duplicated: int
    slowest_ack_s: float
    good: bool

    def line(self) -> str:
        return (
            f"{self.callbacks} callbacks acknowledged, the slowest in {self.slowest_ack_s:.2f} s\n"
            f"faults: {self.injected} injected, lost {self.lost}, unexpected {self.unexpected}, "
            f"duplicated {self.duplicated}"
        )


def judge(world: World, findings: Sequence[Finding], troubles: Sequence[str], *, injected: int) -> Verdict:
    lost = unexpected = acked_all = 0
    slowest = 0.0
    for source, rows in world.ledgers.items():
        attempts = [r for r in rows if r["op"] == "callback_attempt"]
        acked = [r for r in attempts if r["data"]["accepted"]]
        stored = sum(1 for i in world.inbox if i["source"] == source) + world.repeats[source]
        lost += max(0, len(acked) - stored)
        unexpected += max(0, stored - len(attempts))
        acked_all += len(acked)
        slowest = max([slowest, *(float(r["data"].get("took_s", 0.0)) for r in acked)])
    lost += sum(1 for i in world.inbox if i["state"] in ("received", "delivered", "dead"))
    applied = Counter((e["order_no"], e["key"]) for e in world.events if e["outcome"] == "APPLIED")
    duplicated = sum(1 for n in applied.values() if n > 1)
    good = not (lost or unexpected or duplicated or troubles) and all(f.holds for f in findings)
    return Verdict(injected, acked_all, lost, unexpected, duplicated, slowest, good)
