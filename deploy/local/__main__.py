"""`python -m deploy.local up|down|status|links|restart NAME|kill NAME|logs [NAME]`: the local stack, by command."""

import os
import sys
from collections.abc import Mapping, Sequence

from deploy.local import links, stack
from deploy.local.plan import layout_of
from deploy.local.stack import StackFailed
from deploy.local.supervisor import supervise

USAGE = "usage: python -m deploy.local up | down | status | links | restart NAME | kill NAME | logs [NAME]"


def main(words: Sequence[str], env: Mapping[str, str]) -> int:
    try:
        return _run(list(words), env)
    except StackFailed as e:
        print(f"local stack: {e}", file=sys.stderr)
        return 1
    except KeyboardInterrupt:
        return 130


def _run(words: list[str], env: Mapping[str, str]) -> int:
    match words:
        case ["up"]:
            stack.up(env)
            _show_addresses(env)
        case ["down"]:
            stack.down(env)
        case ["status"]:
            return _show_status(env)
        case ["links"]:
            links.show(stack.variables_of(env))
        case ["restart", name]:
            print(f"ending {name} of the stack in {layout_of(env).state}")
            stack.restart(env, name)
        case ["kill", name]:
            print(f"killing {name} of the stack in {layout_of(env).state}")
            stack.signal_service(env, name, kill=True)
        case ["logs", *names]:
            _show_logs(env, names)
        case ["supervise", *options]:
            return supervise(layout_of(env), env, while_stdin="--while-stdin" in options)
        case _:
            print(USAGE, file=sys.stderr)
            return 2
    return 0


def _show_addresses(env: Mapping[str, str]) -> None:
    found = stack.variables_of(env)
    for what, variable in (("Temporal Web UI", "OMS_TEMPORAL_UI_URL"), ("relay", "OMS_RELAY_URL")):
        if variable in found:
            print(f"{what}: {found[variable]}")
    print(f"logs: {layout_of(env).log('*')}   stop with `make down`")
    links.show(found)


def _show_status(env: Mapping[str, str]) -> int:
    record = stack.status(env)
    print(f"stack in {layout_of(env).state}: {record.state}" + (f" ({record.error})" if record.error else ""))
    for service in record.services.values():
        pid = f"pid {service.pid}" if service.pid else ""
        print(
            f"  {service.name:<11} {service.state:<8} {pid:<12} restarts {service.restarts}  {service.address}".rstrip()
        )
    return 0 if record.state == "ready" else 3


def _show_logs(env: Mapping[str, str], names: Sequence[str]) -> None:
    layout = layout_of(env)
    for name in names or [*stack.status(env).services, "supervisor"]:
        log = layout.log(name)
        lines = log.read_text(errors="replace").splitlines()[-40:] if log.exists() else []
        print("\n".join([f"== {log}", *lines]))


if __name__ == "__main__":
    sys.exit(main(sys.argv[1:], os.environ))
