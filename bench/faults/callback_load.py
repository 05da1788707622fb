"""What a storm of callbacks came to."""

from collections.abc import Iterator
from dataclasses import asdict, dataclass
from typing import Any

from bench.faults.chaos import Programme
from bench.faults.hostile import Lies
from bench.load.callbacks.sending import SentLog
from bench.load.callbacks.total_queue import Balance

SLOWEST_ACK_S = 1.0
"""A provider gives up after 5 s; ours must answer well before, whatever Temporal does."""


@dataclass(frozen=True)
class Storm:
    """`programme`: kills and outages; `failed_calls`: of ours, at the outside systems; `drain_s`: after the last one
    was sent, until every order was delivered."""

    seed: int
    orders: int
    doubled: int
    shuffled: int
    failed_calls: int
    programme: Programme
    told: SentLog
    sending_s: float
    drain_s: float
    drained: bool
    balance: Balance
    ack_p99_s: float
    lies: Lies

    @property
    def injected(self) -> int:
        return self.doubled + self.shuffled + self.failed_calls + self.programme.steps

    @property
    def slowest_ack_s(self) -> float:
        return max((took for _, took in self.told.acks), default=0.0)

    @property
    def slowest_ack_in_outage_s(self) -> float:
        began, ended = self.programme.outage
        return max((took for sent, took in self.told.acks if began <= sent <= ended), default=0.0)

    @property
    def good(self) -> bool:
        return self.balance.good and self.drained and not self.told.given_up and self.lies.good

    def as_json(self) -> dict[str, Any]:
        counts = {name: len(ids) for name, ids in asdict(self.balance).items() if isinstance(ids, frozenset)}
        return {
            "seed": self.seed, "orders": self.orders, "injected": self.injected, "doubled": self.doubled,
            "shuffled": self.shuffled, "failed_calls": self.failed_calls, "messages": self.balance.messages,
            "attempts": self.balance.attempts, **counts, "ack_p99_s": round(self.ack_p99_s, 3),
            "ack_max_s": round(self.slowest_ack_s, 3),
            "ack_max_while_temporal_hung_s": round(self.slowest_ack_in_outage_s, 3),
            "sender_behind_s": round(self.told.behind_s, 3),
            "attempts_without_answer": self.told.broken, "answers_not_2xx": self.told.refused,
            "lies": self.lies.told.total(), "lies_believed": self.lies.believed, "lies_moved_fen": self.lies.moved_fen,
            "sending_s": round(self.sending_s, 1), "drain_s": round(self.drain_s, 1), "drained": self.drained,
        }  # fmt: skip


def lines_of(storm: Storm) -> Iterator[str]:
    b, t = storm.balance, storm.told
    yield (
        f"{b.messages} messages in {b.attempts} attempts over {storm.sending_s:.0f} s; acknowledged within p99 "
        f"{storm.ack_p99_s * 1000:.0f} ms, at worst {storm.slowest_ack_s:.2f} s; {t.broken} attempts without answer, "
        f"{sum(t.refused.values())} answers that were no thanks, the sender at worst {t.behind_s:.2f} s late"
    )
    yield f"{'drained' if storm.drained else 'NOT DRAINED'} {storm.drain_s:.0f} s later; recovered {len(b.recovered)}"
    for name in ("lost", "unexpected", "duplicated"):
        yield from (f"    {name}: {one}" for one in sorted(getattr(b, name))[:5])
    slow = storm.slowest_ack_in_outage_s
    said = "SLOW: " if slow >= SLOWEST_ACK_S else ""
    yield f"{said}the slowest acknowledgement while Temporal hung took {slow:.2f} s"
    yield storm.lies.line()
    yield (
        f"faults: {storm.injected} injected, lost {len(b.lost)}, unexpected {len(b.unexpected)}, "
        f"duplicated {len(b.duplicated)}"
    )
