"""The commands of the local stack: up, down, status, restart, kill; and a stack for the length of a `with` block."""

import contextlib
import os
import signal
import subprocess
import sys
import time
from collections.abc import Callable, Iterator, Mapping
from contextlib import contextmanager

from dotenv import dotenv_values

from deploy.local import processes
from deploy.local.plan import ROOT, Layout, layout_of
from deploy.local.private_files import private_folder
from deploy.local.record import ServiceRecord, StackRecord, read_record
from deploy.local.supervisor import end_leftovers, only_one

UP_S = 180.0
DOWN_S = 60.0
Tell = Callable[[str], None]


class StackFailed(RuntimeError):
    """The stack did not come up, or a named program is not part of it. One line."""


def up(env: Mapping[str, str], tell: Tell = print) -> None:
    """Start the stack in the background and wait until all of it works. Harmless when it runs already."""
    layout = layout_of(env)
    record = read_record(layout.record)
    if record.supervised() and record.state == "ready":
        tell("already running")
        return
    started = None if record.supervised() else _launch(layout, env, attached=False)
    _follow(layout, started, tell)


def down(env: Mapping[str, str], tell: Tell = print) -> None:
    """End everything that this state folder's stack has started; strangers are never touched."""
    layout = layout_of(env)
    record = read_record(layout.record)
    if record.supervisor and record.supervised():
        processes.end(record.supervisor, signal.SIGTERM, DOWN_S)
        tell("stopped")
    held = only_one(layout)
    if held is None:
        raise StackFailed(f"another supervisor has just taken {layout.state}; run this again")
    with held:
        left = end_leftovers(read_record(layout.record))
        layout.env_file.unlink(missing_ok=True)
    if left:
        tell(f"ended what a killed run had left: {', '.join(left)}")
    elif not record.supervised() and record.state not in ("ready", "starting", "stopping"):
        tell("nothing was running")


def status(env: Mapping[str, str]) -> StackRecord:
    record = read_record(layout_of(env).record)
    if not record.supervised() and record.state in ("starting", "ready", "stopping"):
        record.state = "killed"
    return record


def signal_service(env: Mapping[str, str], name: str, *, kill: bool) -> ServiceRecord:
    """End one program, by SIGKILL or by its polite signal; the supervisor starts it again. Raises `StackFailed`.

    Returns the program's record from before.
    """
    record = status(env)
    known = [s.name for s in record.services.values() if not s.once]
    if name not in known:
        raise StackFailed(f"no program {name} in the running stack; there are {', '.join(known) or 'none: `make up`'}")
    service = record.services[name]
    if service.identity is None:
        raise StackFailed(f"{name} is not running at the moment")
    processes.send(service.identity, signal.SIGKILL if kill else signal.Signals[service.polite])
    return service


def restart(env: Mapping[str, str], name: str, *, kill: bool = False, timeout_s: float = 60) -> None:
    """End one program and wait until the supervisor has it working again. Raises `StackFailed`."""
    before = signal_service(env, name, kill=kill)
    deadline = time.monotonic() + timeout_s
    while time.monotonic() < deadline:
        now = status(env).services[name]
        if now.state == "ready" and now.identity != before.identity:
            return
        time.sleep(0.1)
    raise StackFailed(f"{name} did not work again within {timeout_s:.0f} s; see {layout_of(env).log(name)}")


def variables_of(env: Mapping[str, str]) -> dict[str, str]:
    """The variables that point at the running stack."""
    found = dotenv_values(layout_of(env).env_file)
    return {name: value for name, value in found.items() if value is not None}


@contextmanager
def running_stack(env: Mapping[str, str] = os.environ, tell: Tell = print) -> Iterator[dict[str, str]]:
    """The stack, with its variables: the one that is up already (and stays), else one that ends with the block.

    Its supervisor holds the other end of a pipe, and so ends in whatever way this process dies. Raises `StackFailed`.
    """
    layout = layout_of(env)
    if read_record(layout.record).supervised():
        up(env, tell)
        yield variables_of(env)
        return
    supervisor = _launch(layout, env, attached=True)
    try:
        _follow(layout, supervisor, tell)
        yield variables_of(env)
    finally:
        with contextlib.suppress(OSError):
            if supervisor.stdin:
                supervisor.stdin.close()
        supervisor.wait(DOWN_S)


def _launch(layout: Layout, env: Mapping[str, str], *, attached: bool) -> subprocess.Popen[bytes]:
    log = layout.log("supervisor")
    private_folder(layout.logs)
    words = [sys.executable, "-m", "deploy.local", "supervise", *(["--while-stdin"] if attached else [])]
    with log.open("ab") as output:
        return subprocess.Popen(
            words,
            cwd=ROOT,
            env=dict(env),
            stdin=subprocess.PIPE if attached else subprocess.DEVNULL,
            stdout=output,
            stderr=output,
            start_new_session=True,
        )


def _follow(layout: Layout, supervisor: subprocess.Popen[bytes] | None, tell: Tell) -> None:
    """Tell each program as it gets ready, until all are. Raises `StackFailed` with the supervisor's own words."""
    told: set[str] = set()
    deadline = time.monotonic() + UP_S
    while time.monotonic() < deadline:
        ended = supervisor is not None and supervisor.poll() is not None
        record = read_record(layout.record)
        if record.state in ("starting", "ready") and record.supervised():
            for service in record.services.values():
                if service.state in ("ready", "done") and service.name not in told:
                    told.add(service.name)
                    tell(
                        f"  {service.name:<11} {service.state:<6} {service.took_s:>5.1f} s  {service.address}".rstrip()
                    )
            if record.state == "ready":
                return
        elif (ended or supervisor is None) and not _led_by_another(layout):
            own = supervisor is None or (record.supervisor is not None and record.supervisor.pid == supervisor.pid)
            raise StackFailed((own and record.error) or f"the supervisor ended; see {layout.log('supervisor')}")
        time.sleep(0.1)
    raise StackFailed(f"the stack did not come up within {UP_S:.0f} s; see {layout.log('supervisor')}")


def _led_by_another(layout: Layout) -> bool:
    """Another supervisor was quicker than ours, which then has ended without a word."""
    held = only_one(layout)
    if held:
        held.close()
    return held is None
