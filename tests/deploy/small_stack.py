"""A stack of two tiny programs, run by the real supervisor: `python small_stack.py STATE PORT PORT` until a signal."""

import asyncio
import os
import signal
import sys
from collections.abc import Sequence
from pathlib import Path

from deploy.local.checks import listens
from deploy.local.plan import Layout, Plan
from deploy.local.ports import free_port
from deploy.local.record import read_record
from deploy.local.service import Service
from deploy.local.supervisor import Supervisor, end_leftovers, only_one

LISTEN = """
import socket, sys, time
s = socket.create_server(("127.0.0.1", int(sys.argv[1])))
while True:
    s.accept()[0].close()
"""


def listener(name: str, port: int, needs: tuple[str, ...] = ()) -> Service:
    return Service(
        name,
        lambda: [sys.executable, "-c", LISTEN, str(port)],
        working=listens(port),
        needs=needs,
        ports=((port, f"OMS_PORT_{name.upper()}"),),
        variables=os.environ,
    )


def failing(name: str, needs: tuple[str, ...] = ()) -> Service:
    code = "import sys; sys.exit('OMS_SOMETHING is not set')"
    nowhere = listens(free_port())
    return Service(name, lambda: [sys.executable, "-c", code], working=nowhere, needs=needs, variables=os.environ)


def supervisor(state: Path, services: Sequence[Service]) -> Supervisor:
    layout = Layout(state)
    layout.logs.mkdir(parents=True, exist_ok=True)
    return Supervisor(layout, Plan(tuple(services), {}))


async def main(state: Path, ports: Sequence[int]) -> None:
    with only_one(Layout(state)) or sys.exit("locked"):
        end_leftovers(read_record(Layout(state).record))
        run = supervisor(state, [listener("floor", ports[0]), listener("door", ports[1], ("floor",))])
        asyncio.get_running_loop().add_signal_handler(signal.SIGTERM, run.stop)
        await run.run()


if __name__ == "__main__":
    asyncio.run(main(Path(sys.argv[1]), [int(word) for word in sys.argv[2:]]))
