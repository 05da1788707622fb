"""`python -m bench.burst [--rate N] [--seconds S]`: events at a fixed rate onto open orders (R20).

100 a second for five minutes; an event is visible once a row tells what its order made of it. Open loop: a stall of the
receiver does not slow the sender down. Exit 0 only if nothing is lost or doubled and 95 of 100 are visible within 2 s.
"""

import argparse
import asyncio
import json
import os
import sys
import time
from collections.abc import Mapping, Sequence
from dataclasses import asdict, dataclass
from datetime import UTC, datetime, timedelta
from pathlib import Path

import httpx
from rich.console import Console
from rich.progress import Progress
from temporalio.client import Client
from temporalio.contrib.pydantic import pydantic_data_converter

from bench import cpu
from bench.callbacks.ground import POLICY, clear_away, drained, ground, open_orders, state_folder
from bench.callbacks.journal import Journal
from bench.callbacks.lives import life, messages_a_life
from bench.callbacks.plan import Arrivals, arrivals
from bench.callbacks.sending import Sender
from bench.callbacks.signed import Hands
from bench.callbacks.total_queue import Balance, balance
from bench.callbacks.visible import Watch, quantile
from bench.demo.sites import sandbox_urls
from bench.demo.stage import Stage
from config import Settings
from deploy.local import stack
from starter.client import OrderClient
from store.policies import PolicyStore
from store.pool import open_pool

console = Console(soft_wrap=True, highlight=False)
LIMIT_S = 2.0
DRAIN_S = 600.0
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
    settings = Settings()
    pool = await open_pool(settings.database.url.get_secret_value(), application="burst")
    temporal = await Client.connect(**settings.temporal.connect_arguments(), data_converter=pydantic_data_converter)
    state = state_folder()
    try:
        async with httpx.AsyncClient(timeout=20) as http:
            await PolicyStore(pool).publish(POLICY, "burst")
            stage = Stage(OrderClient(temporal), temporal, pool, sandbox_urls(variables), http)
            wanted = int(options.rate * options.seconds)
            orders = await open_orders(stage, -(-wanted // messages_a_life(2)), console)
            hands, at = Hands(state), datetime.now(UTC).replace(microsecond=0) - timedelta(minutes=1)
            sent = arrivals([life(hands, order, at) for order in orders], 1)
            async with Journal(state / "attempted.jsonl") as attempted, Journal(state / "acked.jsonl") as acked:
                sender, watch = Sender(variables["OMS_RELAY_URL"], attempted, acked), Watch(pool)
                return await _measure(stage, sender, watch, sent, options.rate)
    finally:
        await pool.close()


async def _measure(stage: Stage, sender: Sender, watch: Watch, sent: Arrivals, rate: float) -> Burst:
    watching = asyncio.create_task(watch.run())
    pids = {name: s.pid for name, s in stack.status(os.environ).services.items() if s.pid and name in PROGRAMS}
    before = {name: cpu.seconds(pid) for name, pid in pids.items()}
    with Progress(console=console) as progress:
        bar = progress.add_task("events sent", total=len(sent.messages))
        await sender.send_all(sent.messages, rate, lambda n: progress.update(bar, completed=n))
    ended = time.monotonic()
    is_drained = await drained(stage, DRAIN_S)
    drain_s = time.monotonic() - ended
    await watch.look()
    watching.cancel()
    return Burst(
        events=len(sent.messages),
        per_second=rate,
        visible=_spread(await watch.delays()),
        ack=_spread(sorted(took for _, took in sender.told.acks)),
        sender_behind_s=sender.told.behind_s,
        drain_s=drain_s,
        drained=is_drained,
        balance=await balance(stage.pool, sender.attempted.ids, sender.acked.ids),
        cpu={name: cpu.seconds(pid) - before[name] for name, pid in pids.items()},
        load=os.getloadavg(),
    )


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
    console.print(f"{'drained' if burst.drained else 'NOT DRAINED'} {burst.drain_s:.0f} s after the last event")
    b = burst.balance
    console.print(
        f"burst: {burst.events} events at {burst.per_second:g}/s, lost {len(b.lost)}, unexpected {len(b.unexpected)}, "
        f"duplicated {len(b.duplicated)}, p95 {burst.visible['p95']:.2f} s"
    )


def _options(words: Sequence[str]) -> argparse.Namespace:
    parser = argparse.ArgumentParser(prog="python -m bench.burst", description=__doc__)
    parser.add_argument("--rate", type=float, default=100.0, help="events a second (default 100)")
    parser.add_argument("--seconds", type=float, default=300.0, help="for how long (default 300)")
    parser.add_argument("--json", type=Path, default=Path("bench/results/burst.json"), help="file for the figures")
    return parser.parse_args(words)


if __name__ == "__main__":
    sys.exit(main(sys.argv[1:]))
