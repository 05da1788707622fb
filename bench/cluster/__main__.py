"""`python -m bench.cluster`: a real Temporal server with PostgreSQL, certificates and walls. The stack's own processes
play orders through it, each with its own token, while everybody tries what is not theirs. Needs Go, once; exit 0 only
if every order came to its end and nothing got through."""

import argparse
import asyncio
import os
import sys
import time
from collections.abc import Mapping, Sequence
from dataclasses import replace
from pathlib import Path

from rich.console import Console
from temporalio.client import Client

from bench.cluster.intruders import Tried, as_processes, as_strangers
from bench.demo.environment import on_stage
from bench.demo.orders import DEMO_POLICY, SPEED, provide_stock
from bench.demo.stories import DemoOrder, received
from bench.faults.load import Load
from bench.load.two_parcels import two_parcel_orders
from config.payload_keys import load_payload_keys
from config.sources import ROOT
from deploy.cluster.building import UnableToBuild, built
from deploy.cluster.server import BACKEND, NAMESPACE, Cluster, ClusterFailed
from deploy.local import stack
from deploy.local.postgres import UnableToRunPostgres
from starter.clients.orders import OrderClient
from wire.converter import data_converter

console = Console(soft_wrap=True, highlight=False)
HOME = ".local/cluster"


def main(words: Sequence[str]) -> int:
    options = _options(words)
    home = ROOT / HOME
    began = time.monotonic()
    try:
        cluster = Cluster(home, built(home / "bin", console.print))
        try:
            asyncio.run(cluster.start())
            console.print(f"  Temporal with its walls: {cluster.address}, namespace {NAMESPACE}")
            code = _play(cluster, home, options.orders)
        finally:
            cluster.stop()
    except (UnableToBuild, ClusterFailed, UnableToRunPostgres, stack.StackFailed) as error:
        console.print(f"the cluster cannot start: {error}")
        return 1
    console.print(f"cluster: {'all is well' if code == 0 else 'NOT as it should be'}, {time.monotonic() - began:.0f} s")
    return code


def _play(cluster: Cluster, home: Path, count: int) -> int:
    shown = home / "shown"
    cluster.secrets_by_process(shown)
    env = {
        **SPEED, **os.environ, "OMS_STATE_DIR": f"{HOME}/stack", "OMS_PORTS": "free", "OMS_STACK_SECRETS": str(shown),
        "TEMPORAL_ADDRESS": cluster.address, "TEMPORAL_NAMESPACE": NAMESPACE,
    }  # fmt: skip
    os.environ.update(env)
    with stack.running_stack(env, tell=console.print) as variables:
        os.environ.update(variables)
        return asyncio.run(_orders(cluster, home, variables, count))


async def _orders(cluster: Cluster, home: Path, variables: Mapping[str, str], count: int) -> int:
    tried = Tried()
    async with on_stage("cluster", variables, DEMO_POLICY) as stage:
        orders = two_parcel_orders(count)
        await provide_stock(stage.pool, [DemoOrder("cluster", order, received) for order in orders])
        # The shop's own backend starts them and gives the commands: with its token, not the operator's.
        shop = await cluster.client(BACKEND)
        own = Client(**shop.config() | {"data_converter": data_converter(None, load_payload_keys())})
        load = Load(replace(stage, client=OrderClient(own, prover=stage.prover)), orders, per_second=2)
        playing = asyncio.create_task(load.run(console))
        while not load.under_way(1):
            await asyncio.sleep(0.2)
        await as_processes(cluster, orders[-1].order_no, tried)
        await as_strangers(cluster, home, orders[-1].order_no, tried)
        troubles = await playing
    for trouble in troubles:
        console.print(f"NOT as played: {trouble}")
    console.print(
        f"orders: {len(orders)} of a backend played through worker and relay, {len(troubles)} not to their ends"
    )
    console.print(tried.line())
    return 0 if tried.refused and not tried.through and not troubles else 1


def _options(words: Sequence[str]) -> argparse.Namespace:
    parser = argparse.ArgumentParser(prog="python -m bench.cluster", description=__doc__)
    parser.add_argument("--orders", type=int, default=6, help="how many are played (default 6)")
    return parser.parse_args(words)


if __name__ == "__main__":
    sys.exit(main(sys.argv[1:]))
