"""Programs that die or hang while the load runs: Temporal silent for a minute, the relay and the worker killed."""

import asyncio
import os
import signal
import time
from collections.abc import Callable
from dataclasses import dataclass

from deploy.local import processes, stack

Tell = Callable[[str], None]


@dataclass(frozen=True)
class Programme:
    """What was done. `outage`: from when to when Temporal hung, on the monotonic clock."""

    steps: int
    outage: tuple[float, float]


async def silence(name: str, seconds: float, tell: Tell) -> tuple[float, float]:
    """The program hangs (SIGSTOP): harder than dying, since its connections stay open. From when to when."""
    service = stack.status(os.environ).services[name]
    if service.identity is None:
        raise RuntimeError(f"{name} is not part of this stack")
    tell(f"{name} hangs for {seconds:.0f} s")
    began = time.monotonic()
    processes.send(service.identity, signal.SIGSTOP)
    try:
        await asyncio.sleep(seconds)
    finally:
        processes.send(service.identity, signal.SIGCONT)
        tell(f"{name} goes on")
    return began, time.monotonic()


async def kill(name: str, tell: Tell) -> None:
    """SIGKILL; the supervisor starts it again."""
    tell(f"{name} is killed")
    await asyncio.to_thread(stack.restart, dict(os.environ), name, kill=True)


async def havoc(outage_s: float, enough: Callable[[float], bool], tell: Tell) -> Programme:
    """The whole programme, each step when `enough` of the orders are under way."""

    async def once(share: float) -> None:
        while not enough(share):
            await asyncio.sleep(0.2)

    await once(0.2)
    await kill("relay", tell)
    await once(0.4)
    outage, _ = await asyncio.gather(silence("temporal", outage_s, tell), _kill_later("relay", outage_s / 2, tell))
    await once(0.6)
    await kill("worker", tell)
    return Programme(4, outage)


async def _kill_later(name: str, after_s: float, tell: Tell) -> None:
    await asyncio.sleep(after_s)
    await kill(name, tell)
