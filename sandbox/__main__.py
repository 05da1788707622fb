"""`python -m sandbox [name …]`: serve the sandboxes (all by default) until SIGINT or SIGTERM.

Environment: SANDBOX_<NAME>_PORT, SANDBOX_DATA_DIR, SANDBOX_SPEED, and each sandbox's own SANDBOX_<NAME>_* values.
"""

import asyncio
import contextlib
import importlib
import os
import signal
import sys
from collections.abc import Mapping, Sequence

from starlette.applications import Starlette

from sandbox.core import serve
from sandbox.core.settings import MissingSetting, from_env

APPS = {
    "wechat": 8701, "qimen": 8702, "tms": 8703, "kuaidi100": 8704, "alipay": 8705, "sf": 8706,
    "identity": 8707, "wecom": 8708, "dingtalk": 8709, "feishu": 8710, "sms": 8711, "mail": 8712,
}  # fmt: skip
"""Sandbox (module `sandbox.<name>`, with `create_app(settings)`) and its usual port."""


def build(name: str, env: Mapping[str, str]) -> Starlette:
    app = importlib.import_module(f"sandbox.{name}").create_app(from_env(name, env))
    assert isinstance(app, Starlette)
    return app


async def run(names: Sequence[str], env: Mapping[str, str]) -> None:
    stop = asyncio.Event()
    loop = asyncio.get_running_loop()
    for number in (signal.SIGINT, signal.SIGTERM):
        loop.add_signal_handler(number, stop.set)
    async with contextlib.AsyncExitStack() as servers:
        for name in names:
            port = int(env.get(f"SANDBOX_{name.upper()}_PORT") or APPS[name])
            url = await servers.enter_async_context(serve(build(name, env), port))
            print(f"sandbox {name}: {url}", flush=True)
        await stop.wait()


def main(arguments: Sequence[str], env: Mapping[str, str]) -> int:
    unknown = sorted(set(arguments) - set(APPS))
    if unknown:
        print(f"no sandbox {', '.join(unknown)}; there are {', '.join(APPS)}", file=sys.stderr)
        return 2
    try:
        asyncio.run(run(arguments or list(APPS), env))
    except MissingSetting as e:
        print(f"a sandbox cannot start: {e}", file=sys.stderr)
        return 2
    return 0


if __name__ == "__main__":
    sys.exit(main(sys.argv[1:], os.environ))
