"""`python -m bench.faults --seed N [--callbacks N]`: signed callbacks onto open orders, under faults of the seed.

A tenth is sent twice and a tenth out of order; Temporal hangs in the middle, the relay is killed twice, the worker
once; calls of ours fail at the outside systems; a stranger who may write to the namespace lies to the orders. Then
everything heals and drains, and both sides' ledgers are compared, id by id. Ends in `faults: F injected, lost L,
unexpected U, duplicated D`; exit 0 only if all three are 0 and no lie has moved anything.
"""

import argparse
import asyncio
import json
import sys
import time
from collections.abc import Mapping, Sequence
from contextlib import suppress
from datetime import UTC, datetime, timedelta
from pathlib import Path

from rich.console import Console
from rich.progress import Progress

from bench.demo.environment import DemoEnvironment, on_stage
from bench.faults.callback_load import Storm, lines_of
from bench.faults.chaos import Programme, havoc
from bench.faults.hostile import Lies, ask_for_activities, lie, look
from bench.faults.plan import CHANCES, draw
from bench.load.callbacks.arrivals import Arrivals, arrivals
from bench.load.callbacks.environment import POLICY, clear_away, drained, ground, open_orders, state_folder
from bench.load.callbacks.journal import Journal
from bench.load.callbacks.order_messages import life, messages_a_life
from bench.load.callbacks.sending import Sender, evenly
from bench.load.callbacks.total_queue import balance
from bench.load.callbacks.visibility import quantile
from bench.signing import Signers
from deploy.local import stack
from domain.order import StartOrder

console = Console(soft_wrap=True, highlight=False)
DRAIN_S = 1_200.0


def main(words: Sequence[str]) -> int:
    options = _options(words)
    console.print(f"seed {options.seed}")
    try:
        with ground("faults", console) as variables:
            storm = asyncio.run(_run(options, variables))
    except stack.StackFailed as error:
        console.print(f"the fault harness cannot start: {error}")
        return 1
    options.json.parent.mkdir(parents=True, exist_ok=True)
    options.json.write_text(json.dumps(storm.as_json(), indent=2))
    for line in lines_of(storm):
        console.print(line)
    if storm.good:
        clear_away()
    return 0 if storm.good else 1


async def _run(options: argparse.Namespace, variables: Mapping[str, str]) -> Storm:
    state = state_folder()
    async with on_stage("faults", variables, POLICY) as stage:
        orders = await open_orders(stage, -(-options.callbacks // messages_a_life(2)), console)
        sent, refused_calls = await _armed(stage, options, orders, Signers.of_stack(state))
        lies = Lies()
        await ask_for_activities(stage, lies)
        with Journal(state / "attempted.jsonl") as attempted, Journal(state / "acked.jsonl") as acked:
            sender = Sender(variables["OMS_RELAY_URL"], attempted, acked)
            began = time.monotonic()
            lying = asyncio.create_task(lie(stage, orders, options.seed, lies))
            programme = await _storm(sender, sent, options)
            ended = time.monotonic()
            is_drained = await drained(stage, DRAIN_S)
            lying.cancel()
            with suppress(asyncio.CancelledError):
                await lying
            await look(stage, lies)
            return Storm(
                options.seed, len(orders), sent.doubled, sent.shuffled, refused_calls, programme, sender.told,
                ended - began, time.monotonic() - ended, is_drained,
                await balance(stage.pool, attempted.ids, acked.ids),
                quantile(sorted(took for _, took in sender.told.acks), 0.99), lies,
            )  # fmt: skip


async def _armed(
    stage: DemoEnvironment, options: argparse.Namespace, orders: Sequence[StartOrder], signers: Signers
) -> tuple[Arrivals, int]:
    """What will be sent, and how many of our own calls will fail."""
    at = datetime.now(UTC).replace(microsecond=0) - timedelta(minutes=1)
    lives = [life(signers, order, at) for order in orders]
    sent = arrivals(lives, options.seed, doubled=0.1, shuffled=0.1)
    ours = [chance for chance in CHANCES if chance.operation not in ("callback", "create")]
    drawn = draw(options.seed, [order.order_no for order in orders], ours)
    for fault in drawn:
        await stage.fault(fault.sandbox, fault.operation, fault.fault, fault.times, order_no=fault.order_no)
    console.print(
        f"{len(sent.messages)} callbacks for {len(orders)} orders: {sent.doubled} sent twice, {sent.shuffled} out of "
        f"order; {len(drawn)} calls of ours will fail"
    )
    return sent, len(drawn)


async def _storm(sender: Sender, sent: Arrivals, options: argparse.Namespace) -> Programme:
    """Sends all of it, under the programme of `havoc`."""
    share = 0.0
    with Progress(console=console) as progress:
        bar = progress.add_task("callbacks sent", total=len(sent.messages))

        def on(n: int) -> None:
            nonlocal share
            share = n / len(sent.messages)
            progress.update(bar, completed=n)

        sending = sender.send_all(sent.messages, evenly(options.rate), on)
        programme, _ = await asyncio.gather(havoc(options.outage, lambda part: share >= part, console.print), sending)
    return programme


def _options(words: Sequence[str]) -> argparse.Namespace:
    parser = argparse.ArgumentParser(prog="python -m bench.faults", description=__doc__)
    parser.add_argument("--seed", type=int, default=1, help="draws the faults (default 1)")
    parser.add_argument("--callbacks", type=int, default=10_000, help="different ones (default 10000)")
    parser.add_argument("--rate", type=float, default=60.0, help="sent a second (default 60)")
    parser.add_argument("--outage", type=float, default=60.0, help="seconds for which Temporal hangs (default 60)")
    parser.add_argument("--json", type=Path, default=Path("bench/results/faults.json"), help="file for the figures")
    return parser.parse_args(words)


if __name__ == "__main__":
    sys.exit(main(sys.argv[1:]))
