"""`python -m bench.faults.rolling`: an installation without seals is given them while callbacks flow.

In the order of docs/security.md: the relay its key, then the worker all of them and the moment from which they count;
each restarted once. Callbacks flow from before the first change until after that moment, a tenth twice, a tenth out of
order. Then both sides' journals are compared, id by id, and a stranger's fact is told. Exit 0 only if nothing was lost,
unexpected or doubled, nothing of ours was refused, the stranger was, and the loops of before run on.
"""

import argparse
import asyncio
import base64
import os
import secrets
import sys
import time
from collections import Counter
from collections.abc import AsyncIterator, Mapping, Sequence
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta
from pathlib import Path

from rich.console import Console
from rich.progress import Progress
from temporalio.client import Client, WorkflowExecutionStatus

from bench.demo.environment import DemoEnvironment, on_stage
from bench.faults.hostile import lies_about
from bench.load.callbacks.arrivals import Arrivals, arrivals
from bench.load.callbacks.environment import POLICY, clear_away, drained, ground, open_orders, state_folder
from bench.load.callbacks.journal import Journal
from bench.load.callbacks.order_messages import life, messages_a_life
from bench.load.callbacks.sending import Sender, evenly
from bench.load.callbacks.total_queue import Balance, balance
from bench.signing import Signers
from config.sources import ROOT
from deploy.local import stack
from deploy.local.private_files import private_folder, write_private
from deploy.local.variables import STACK_SECRETS, UNSEALED
from domain.order import StartOrder
from domain.trust.seals import SEAL
from workflows.loops.courier_subscription import COURIER_WORKFLOW_ID
from workflows.loops.reconciliation import DAILY_WORKFLOW_ID
from workflows.messages import order_workflow_id

console = Console(soft_wrap=True, highlight=False)
NAME = "rolling"
DRAIN_S = 600.0
UNTIL_IT_COUNTS_S = 40
"""From the worker's restart. In production: longer than any message or call of before may still be on its way."""
ASKING = {f"OMS_PULL_{of}_TICK_S": "5" for of in ("PAYMENT", "WAREHOUSE", "COURIER")}
"""What the loops asked for before the change is tried again and again after it."""
REFUSED = "SELECT count(*) FROM audit WHERE action = 'signal.refused'"
ASKED = "SELECT count(*) FROM tickets WHERE state = 'open'"
LOOPS = (COURIER_WORKFLOW_ID, DAILY_WORKFLOW_ID)


@dataclass
class Rolled:
    """`signals`: of the relay, in the histories, without and with a seal. `refused`: of ours; `stranger`: of the lie
    that was told at the end. `tickets`: questions that somebody would have had to answer."""

    orders: int
    balance: Balance
    drained: bool
    signals: Counter[str]
    refused: int
    stranger: int
    tickets: int
    standing: tuple[str, ...]

    @property
    def good(self) -> bool:
        both = self.signals["unsealed"] and self.signals["sealed"]
        return bool(
            self.balance.good
            and self.drained
            and both
            and not self.refused
            and self.stranger
            and not self.tickets
            and not self.standing
        )

    def line(self) -> str:
        found = self.balance
        loops = f"standing still: {', '.join(self.standing)}" if self.standing else "all loops run"
        return (
            f"rolling: {self.orders} orders, {self.signals['unsealed']} signals of facts without a seal, "
            f"{self.signals['sealed']} with one, {self.refused} of ours refused, {self.stranger} of a stranger; "
            f"{self.tickets} tickets, {loops}\n"
            f"rolling: {found.messages} callbacks, lost {len(found.lost)}, unexpected {len(found.unexpected)}, "
            f"doubled {len(found.duplicated)}{'' if self.drained else ', NOT all delivered'}"
        )


def main(words: Sequence[str]) -> int:
    options = _options(words)
    shown = ROOT / f".local/{NAME}-{os.getpid()}" / "shown"
    for role in ("relay", "worker", "operator", "nobody"):
        private_folder(shown / role)
    os.environ.update({**ASKING, STACK_SECRETS: str(shown), UNSEALED: "1"})
    try:
        with ground(NAME, console) as variables:
            rolled = asyncio.run(_run(options, variables, shown))
    except stack.StackFailed as error:
        console.print(f"the change cannot be played: {error}")
        return 1
    console.print(rolled.line())
    if rolled.good:
        clear_away()
    return 0 if rolled.good else 1


async def _run(options: argparse.Namespace, variables: Mapping[str, str], shown: Path) -> Rolled:
    async with on_stage(NAME, variables, POLICY) as stage:
        orders = await open_orders(stage, -(-options.callbacks // messages_a_life(2)), console)
        at = datetime.now(UTC).replace(microsecond=0) - timedelta(minutes=1)
        signers = Signers.of_stack(state_folder())
        sent = arrivals([life(signers, order, at) for order in orders], options.seed, doubled=0.1, shuffled=0.1)
        state = state_folder()
        with Journal(state / "attempted.jsonl") as attempted, Journal(state / "acked.jsonl") as acked:
            sender = Sender(variables["OMS_RELAY_URL"], attempted, acked)
            since = await _while_callbacks_flow(sender, sent, options, shown)
            while datetime.now(UTC) < since:
                await asyncio.sleep(0.2)
            done = await drained(stage, DRAIN_S)
            refused = await stage.pool.fetchval(REFUSED)
            await _lie(stage, orders)
            return Rolled(
                len(orders), await balance(stage.pool, attempted.ids, acked.ids), done,
                await _signals(stage.temporal, orders), refused, await stage.pool.fetchval(REFUSED) - refused,
                await stage.pool.fetchval(ASKED), await _standing(stage.temporal),
            )  # fmt: skip


async def _while_callbacks_flow(sender: Sender, sent: Arrivals, options: argparse.Namespace, shown: Path) -> datetime:
    """Sends all of it, and changes relay and worker meanwhile. Returns the moment from which seals count."""
    share = 0.0
    with Progress(console=console) as progress:
        bar = progress.add_task("callbacks sent", total=len(sent.messages))

        def on(n: int) -> None:
            nonlocal share
            share = n / len(sent.messages)
            progress.update(bar, completed=n)

        async def change() -> datetime:
            relay, worker = _key("relay"), _key("worker")
            while share < 0.2:
                await asyncio.sleep(0.1)
            _give(shown / "relay", relay, relay)
            await _restarted("relay")
            since = datetime.now(UTC) + timedelta(seconds=options.until)
            _give(shown / "worker", f"{worker},{relay}", worker, since)
            await _restarted("worker")
            return since

        since, _ = await asyncio.gather(change(), sender.send_all(sent.messages, evenly(options.rate), on))
    return since


def _key(role: str) -> str:
    return f"{role}.1:{base64.b64encode(secrets.token_bytes(32)).decode()}"


def _give(folder: Path, keys: str, own: str, since: datetime | None = None) -> None:
    given = {"oms_seal_keys": keys, "oms_seal_own": own.partition(":")[0]}
    if since is not None:
        given |= {"oms_seal_since": since.isoformat(), "oms_seal_calls_since": since.isoformat()}
    for name, content in given.items():
        write_private(folder / name, content)


async def _restarted(name: str) -> None:
    """Politely, as a release does it."""
    began = time.monotonic()
    await asyncio.to_thread(stack.restart, dict(os.environ), name, timeout_s=180)
    console.print(f"{name} seals, after {time.monotonic() - began:.0f} s")


async def _lie(stage: DemoEnvironment, orders: Sequence[StartOrder]) -> None:
    """A stranger tells an open order that it is paid. Before the change that would have counted."""
    (order,) = await open_orders(stage, 1, console)
    stranger = Client(**stage.temporal.config() | {"interceptors": []})
    handle = stranger.get_workflow_handle(order_workflow_id(order.order_no))
    before = await stage.pool.fetchval(REFUSED)
    await handle.signal(*lies_about(order)[0])
    async with asyncio.timeout(60):
        while await stage.pool.fetchval(REFUSED) == before:
            await asyncio.sleep(0.2)


async def _signals(client: Client, orders: Sequence[StartOrder]) -> Counter[str]:
    """What the orders' histories have, as it was written."""
    return Counter([kind async for kind in _kinds(client, orders)])


async def _kinds(client: Client, orders: Sequence[StartOrder]) -> AsyncIterator[str]:
    for order in orders:
        async for event in client.get_workflow_handle(order_workflow_id(order.order_no)).fetch_history_events():
            told = event.workflow_execution_signaled_event_attributes
            if told.signal_name == "facts":
                yield "sealed" if all(SEAL in part.metadata for part in told.input.payloads) else "unsealed"


async def _standing(client: Client) -> tuple[str, ...]:
    """Loops that were begun without seals, and ended or stand still with them."""
    known = [one.id async for one in client.list_workflows("WorkflowId STARTS_WITH 'reconcile/'")]
    found = []
    for loop in known:
        state = await client.get_workflow_handle(loop).describe()
        task = state.raw_description.pending_workflow_task
        if state.status is not WorkflowExecutionStatus.RUNNING or task.attempt > 1:
            found.append(loop)
    return (*found, *(loop for loop in LOOPS if loop not in known))


def _options(words: Sequence[str]) -> argparse.Namespace:
    parser = argparse.ArgumentParser(prog="python -m bench.faults.rolling", description=__doc__)
    parser.add_argument("--seed", type=int, default=1, help="draws what comes twice or out of order (default 1)")
    parser.add_argument("--callbacks", type=int, default=1_600, help="different ones (default 1600)")
    parser.add_argument("--rate", type=float, default=16.0, help="sent a second (default 16)")
    parser.add_argument("--until", type=int, default=UNTIL_IT_COUNTS_S, help="seconds until seals count (default 40)")
    return parser.parse_args(words)


if __name__ == "__main__":
    sys.exit(main(sys.argv[1:]))
