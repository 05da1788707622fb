"""`python -m bench.burst [--rate N] [--seconds S] [--rush]`: events at a fixed rate onto open orders (R20).

100 a second for five minutes, onto orders in every stage of their lives; with --rush onto orders that are all paid in
the first seconds and then go through each stage together. An event is visible once a row tells what its order made of
it. Open loop: a stall of the receiver does not slow the sender down. Exit 0 only if nothing is lost or doubled and 95
of 100 are visible within 2 s.
"""

import argparse
import asyncio
import json
import math
import os
import sys
import time
from collections.abc import Mapping, Sequence
from dataclasses import asdict, dataclass
from datetime import UTC, datetime, timedelta
from pathlib import Path

from rich.console import Console
from rich.progress import Progress

from bench.demo.environment import DemoEnvironment, on_stage
from bench.load import cpu
from bench.load.callbacks.arrivals import Stages, arrivals, in_every_stage
from bench.load.callbacks.environment import POLICY, clear_away, drained, ground, open_orders, settled, state_folder
from bench.load.callbacks.journal import Journal
from bench.load.callbacks.messages import Message
from bench.load.callbacks.order_messages import life, messages_a_life
from bench.load.callbacks.sending import Due, Sender, evenly, rising
from bench.load.callbacks.total_queue import Balance, balance
from bench.load.callbacks.visibility import Watch, quantile
from bench.signing import Signers
from deploy.local import stack

console = Console(soft_wrap=True, highlight=False)
LIMIT_S = 2.0
DRAIN_S = 600.0
LIFE_S = 60.0
"""From an order's payment to its parcels' receipt, unless --rush."""
PROGRAMS = ("temporal", "postgres", "worker", "relay", "sandbox")


@dataclass(frozen=True)
class Burst:
    """Seconds. `visible`: from receipt to visible, of every event; `cpu`: seconds a program has used meanwhile."""

    events: int
    per_second: float
    visible: dict[str, float]
    ack: dict[str, float]
    sender_behind_s: float
    drain_s: float
    drained: bool
    balance: Balance
    cpu: dict[str, float]
    load: tuple[float, float, float]

    @property
    def good(self) -> bool:
        return self.balance.good and self.drained and self.visible["p95"] <= LIMIT_S


def main(words: Sequence[str]) -> int:
    options = _options(words)
    try:
        with ground("burst", console) as variables:
            burst = asyncio.run(_run(options, variables))
    except stack.StackFailed as error:
        console.print(f"the burst cannot start: {error}")
        return 1
    options.json.parent.mkdir(parents=True, exist_ok=True)
    sets = {name: len(ids) for name, ids in asdict(burst.balance).items() if isinstance(ids, frozenset)}
    options.json.write_text(json.dumps(asdict(burst) | {"balance": sets}, indent=2))
    _tell(burst)
    if burst.balance.good:
        clear_away()
    return 0 if burst.good else 1


async def _run(options: argparse.Namespace, variables: Mapping[str, str]) -> Burst:
    state = state_folder()
    async with on_stage("burst", variables, POLICY) as stage:
        begin_a_second = options.rate / messages_a_life(2)
        abreast = 0 if options.rush else round(begin_a_second * LIFE_S)
        orders = await open_orders(stage, abreast + math.ceil(begin_a_second * options.seconds), console)
        signers, at = Signers.of_stack(state), datetime.now(UTC).replace(microsecond=0) - timedelta(minutes=1)
        lives = [life(signers, order, at) for order in orders]
        sent = Stages((), arrivals(lives, 1).messages, ()) if options.rush else in_every_stage(lives, abreast)
        with Journal(state / "attempted.jsonl") as attempted, Journal(state / "acked.jsonl") as acked:
            sender, watch = Sender(variables["OMS_RELAY_URL"], attempted, acked), Watch(stage.pool)
            return await _measure(stage, sender, watch, sent, options.rate)


async def _measure(stage: DemoEnvironment, sender: Sender, watch: Watch, sent: Stages, rate: float) -> Burst:
    await _send(stage, sender, sent.before, rising(len(sent.before), rate), "orders brought into every stage")
    watching, began, acks = asyncio.create_task(watch.run()), datetime.now(UTC), len(sender.told.acks)
    pids = {name: s.pid for name, s in stack.status(os.environ).services.items() if s.pid and name in PROGRAMS}
    before = {name: cpu.seconds(pid) for name, pid in pids.items()} | {"sender": time.process_time()}
    sender.told.behind_s = 0.0
    drain_s = await _send(stage, sender, sent.measured, evenly(rate), "events sent")
    after = {name: cpu.seconds(pid) for name, pid in pids.items()} | {"sender": time.process_time()}
    load, behind_s = os.getloadavg(), sender.told.behind_s
    await watch.look()
    watching.cancel()
    visible, acked = await watch.delays(began), sorted(took for _, took in sender.told.acks[acks:])
    await _send(stage, sender, sent.after, evenly(rate), "orders brought to their ends")
    return Burst(
        events=len(sent.measured),
        per_second=rate,
        visible=_spread(visible),
        ack=_spread(acked),
        sender_behind_s=behind_s,
        drain_s=drain_s,
        drained=await drained(stage, DRAIN_S),
        balance=await balance(stage.pool, sender.attempted.ids, sender.acked.ids),
        cpu={name: after[name] - before[name] for name in after},
        load=load,
    )


async def _send(stage: DemoEnvironment, sender: Sender, messages: Sequence[Message], due: Due, what: str) -> float:
    """Returns how many seconds after the last message all had an outcome."""
    with Progress(console=console) as progress:
        bar = progress.add_task(what, total=len(messages))
        await sender.send_all(messages, due, lambda n: progress.update(bar, completed=n))
    ended = time.monotonic()
    await settled(stage, DRAIN_S)
    return time.monotonic() - ended


def _spread(ascending: list[float]) -> dict[str, float]:
    quantiles = {f"p{share * 100:g}": quantile(ascending, share) for share in (0.5, 0.95, 0.99)}
    return quantiles | {"max": ascending[-1] if ascending else 0.0, "count": float(len(ascending))}


def _tell(burst: Burst) -> None:
    for what, spread in (("acknowledged", burst.ack), ("visible", burst.visible)):
        told = ", ".join(f"{name} {spread[name]:.3f} s" for name in ("p50", "p95", "p99", "max"))
        console.print(f"{what}: {told} ({spread['count']:.0f})")
    used = ", ".join(f"{name} {seconds:.0f} s" for name, seconds in burst.cpu.items())
    console.print(
        f"CPU: {used}; load of the machine {burst.load[0]:.1f}; the sender at worst {burst.sender_behind_s:.2f} s late"
    )
    console.print(
        f"{'drained' if burst.drained else 'NOT DRAINED'}, the last outcome {burst.drain_s:.1f} s after the last event"
    )
    b = burst.balance
    console.print(
        f"burst: {burst.events} events at {burst.per_second:g}/s, lost {len(b.lost)}, unexpected {len(b.unexpected)}, "
        f"duplicated {len(b.duplicated)}, p95 {burst.visible['p95']:.2f} s"
    )


def _options(words: Sequence[str]) -> argparse.Namespace:
    parser = argparse.ArgumentParser(prog="python -m bench.burst", description=__doc__)
    parser.add_argument("--rate", type=float, default=100.0, help="events a second (default 100)")
    parser.add_argument("--seconds", type=float, default=300.0, help="for how long (default 300)")
    parser.add_argument("--rush", action="store_true", help="all orders go through each stage together")
    parser.add_argument("--json", type=Path, default=Path("bench/results/burst.json"), help="file for the figures")
    return parser.parse_args(words)


if __name__ == "__main__":
    sys.exit(main(sys.argv[1:]))
