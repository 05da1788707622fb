"""Starts the programs in order, restarts those that die, ends them all together. One supervisor a state folder."""

import asyncio
import contextlib
import fcntl
import os
import signal
import sys
import time
from collections.abc import Mapping
from pathlib import Path
from typing import IO

from deploy.local import processes, variables
from deploy.local.plan import Layout, Plan, make_plan
from deploy.local.ports import PortTaken, is_taken
from deploy.local.private_files import private_folder
from deploy.local.record import ServiceRecord, StackRecord, read_record, write_record
from deploy.local.service import DidNotStart, Service, finish, last_line, launch

BACKOFF_S = (0.2, 0.5, 1, 2, 5, 10)
STEADY_S = 30.0
"""A program that has worked this long starts its backoff from the beginning."""
ALIVE_EVERY_S = 15.0
LARGE_LOG_BYTES = 20_000_000


class Supervisor:
    def __init__(self, layout: Layout, plan: Plan) -> None:
        self._layout = layout
        self._plan = plan
        self._ready = {service.name: asyncio.Event() for service in plan.services}
        self._running: dict[str, asyncio.subprocess.Process] = {}
        self._stopping = asyncio.Event()
        self.record = StackRecord(
            supervisor=processes.identify(os.getpid()),
            state="starting",
            services={
                s.name: ServiceRecord(s.name, polite=s.polite.name, address=s.address, once=s.once)
                for s in plan.services
            },
        )

    def stop(self) -> None:
        self._stopping.set()

    async def run(self) -> None:
        """Returns after `stop`. Raises `RuntimeError` of one line when a program cannot be started at all."""
        self._save()
        self._refuse_taken_ports()
        keepers = [asyncio.create_task(self._keep(service)) for service in self._plan.services]
        started = asyncio.create_task(self._all_ready())
        stopped = asyncio.create_task(self._stopping.wait())
        try:
            await self._until_stopped(keepers, started, stopped)
        finally:
            self._stopping.set()
            self._note_state("stopping")
            for task in (*keepers, started, stopped):
                task.cancel()
            await asyncio.gather(*keepers, started, stopped, return_exceptions=True)
            await self._end_all()

    async def _until_stopped(
        self, keepers: list[asyncio.Task[None]], started: asyncio.Task[None], stopped: asyncio.Task[bool]
    ) -> None:
        waiting: set[asyncio.Task[None] | asyncio.Task[bool]] = {*keepers, started, stopped}
        while not stopped.done():
            done, waiting = await asyncio.wait(waiting, return_when=asyncio.FIRST_COMPLETED)
            for task in done:
                task.result()

    async def _all_ready(self) -> None:
        for event in self._ready.values():
            await event.wait()
        self._note_state("ready")

    def _refuse_taken_ports(self) -> None:
        for service in self._plan.services:
            for port, variable in service.ports:
                if is_taken(port):
                    raise PortTaken(service.name, port, variable)

    async def _keep(self, service: Service) -> None:
        """Start, wait for the end, start again."""
        for name in service.needs:
            await self._ready[name].wait()
        failures = 0
        while True:
            began = time.monotonic()
            try:
                await self._start(service)
            except (RuntimeError, OSError) as e:
                if not self._ready[service.name].is_set():
                    raise DidNotStart(str(e)) from e
                _say(f"{service.name} does not start again: {e}")
            if service.once:
                return
            await self._while_alive(service)
            failures = 0 if time.monotonic() - began > STEADY_S else failures + 1
            self._note(service.name, state="down", restarts=self.record.services[service.name].restarts + 1)
            _say(f"{service.name} ended; starting it again")
            await asyncio.sleep(BACKOFF_S[min(failures, len(BACKOFF_S)) - 1] if failures else BACKOFF_S[0])

    async def _start(self, service: Service) -> None:
        """From nothing to working. Raises `RuntimeError` of one line; then no process is left."""
        began = time.monotonic()
        self._note(service.name, state="starting")
        await asyncio.to_thread(service.prepare)
        log = self._layout.log(service.name)
        _set_aside(log)
        starting = asyncio.create_task(launch(service, log))
        try:
            await asyncio.shield(starting)
        finally:
            # Also when we are being stopped: a process that nobody knows of would stay for ever.
            process = self._running[service.name] = await starting
        who = processes.identify(process.pid)
        self._note(service.name, pid=process.pid, born=who.born if who else "")
        if service.once:
            await self._end_of_step(service, process)
        else:
            await self._until_working(service, process)
        self._note(service.name, state="done" if service.once else "ready", took_s=round(time.monotonic() - began, 1))
        self._ready[service.name].set()

    async def _end_of_step(self, service: Service, process: asyncio.subprocess.Process) -> None:
        log = self._layout.log(service.name)
        try:
            code = await asyncio.wait_for(process.wait(), service.start_s)
        except TimeoutError:
            await finish(process, service.polite, service.stop_s)
            raise DidNotStart(f"{service.name} did not end in {service.start_s:.0f} s; see {log}") from None
        if code != 0:
            raise DidNotStart(f"{service.name} failed: {last_line(log)} (see {log})")

    async def _until_working(self, service: Service, process: asyncio.subprocess.Process) -> None:
        log = self._layout.log(service.name)
        deadline = time.monotonic() + service.start_s
        while not await service.working(process.pid):
            if process.returncode is not None:
                raise DidNotStart(f"{service.name} ended with code {process.returncode}: {last_line(log)} (see {log})")
            if time.monotonic() > deadline:
                await finish(process, service.polite, service.stop_s)
                raise DidNotStart(f"{service.name} did not work within {service.start_s:.0f} s; see {log}")
            await asyncio.sleep(0.1)

    async def _while_alive(self, service: Service) -> None:
        process = self._running[service.name]
        while process.returncode is None:
            with contextlib.suppress(TimeoutError):
                await asyncio.wait_for(process.wait(), ALIVE_EVERY_S)
            if process.returncode is None and service.alive and not await service.alive(process.pid):
                _say(f"{service.name} lives but does no work; ending it")
                await finish(process, service.polite, service.stop_s)

    async def _end_all(self) -> None:
        """Doors and worker first, then what they stand on."""
        order = [s for s in reversed(self._plan.services) if s.name in self._running]
        standing_on = [s for s in order if s.name in ("postgres", "temporal")]
        for group in ([s for s in order if s not in standing_on], standing_on):
            await asyncio.gather(*(finish(self._running[s.name], s.polite, s.stop_s) for s in group))
            for service in group:
                self._note(service.name, state="done" if service.once else "down", pid=0, born="")

    def _note(self, name: str, **changes: object) -> None:
        for attribute, value in changes.items():
            setattr(self.record.services[name], attribute, value)
        self._save()

    def _note_state(self, state: str) -> None:
        self.record.state = state
        self._save()

    def _save(self) -> None:
        write_record(self._layout.record, self.record)


def end_leftovers(record: StackRecord) -> list[str]:
    """End what an earlier, killed supervisor has left running. Returns the names."""
    found = record.leftovers()
    for service, who in found:
        processes.end(who, signal.Signals[service.polite], 15)
    return [service.name for service, _ in found]


def only_one(layout: Layout) -> IO[str] | None:
    """The lock of a state folder; None when another supervisor holds it. The kernel lets go of it with the process."""
    layout.lock.parent.mkdir(parents=True, exist_ok=True)
    held = layout.lock.open("a")
    try:
        fcntl.flock(held, fcntl.LOCK_EX | fcntl.LOCK_NB)
    except BlockingIOError:
        held.close()
        return None
    return held


def supervise(layout: Layout, env: Mapping[str, str], *, while_stdin: bool) -> int:
    """Run the stack until SIGTERM or SIGINT; with `while_stdin` also until standard input closes."""
    held = only_one(layout)
    if held is None:
        return 0
    with held:
        left = end_leftovers(read_record(layout.record))
        if left:
            _say(f"ended what an earlier run had left: {', '.join(left)}")
        return asyncio.run(_supervise(layout, env, while_stdin))


async def _supervise(layout: Layout, env: Mapping[str, str], while_stdin: bool) -> int:
    private_folder(layout.logs)
    record = StackRecord(supervisor=processes.identify(os.getpid()), state="starting")
    try:
        plan = make_plan(layout, env)
        supervisor = Supervisor(layout, plan)
        record = supervisor.record
        variables.write_env_file(layout.env_file, plan.made, variables.given_from_outside(env))
        loop = asyncio.get_running_loop()
        for number in (signal.SIGTERM, signal.SIGINT):
            loop.add_signal_handler(number, supervisor.stop)
        if while_stdin:
            loop.add_reader(sys.stdin.fileno(), supervisor.stop)
        await supervisor.run()
        record.state = "down"
    except (RuntimeError, ValueError, OSError) as e:
        record.state, record.error = "failed", str(e)
        _say(record.error)
    layout.env_file.unlink(missing_ok=True)
    write_record(layout.record, record)
    return 1 if record.error else 0


def _set_aside(log: Path) -> None:
    """Logs of a stack that runs for weeks do not fill the disk: a large one is set aside at the next start."""
    if log.exists() and log.stat().st_size > LARGE_LOG_BYTES:
        log.replace(log.with_suffix(".old.log"))


def _say(text: str) -> None:
    print(f"{time.strftime('%Y-%m-%dT%H:%M:%S')} {text}", flush=True)
