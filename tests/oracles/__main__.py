"""`make oracles`: public SDKs create, query, refund and believe notices against our sandboxes, a line a step; and the
relay hears the same notices: what an SDK believes, the relay takes and reads alike, and answers as the provider wants.

Each is installed as its registry has it into `.local/oracles/`, and not a line of it is changed: it is told another
address, no more. One that cannot be installed here is named in the last line, and nothing has failed by that.
"""

import asyncio
import json
import logging
import os
import sys
from collections.abc import AsyncIterator, Mapping
from contextlib import asynccontextmanager
from dataclasses import dataclass
from datetime import UTC, datetime
from pathlib import Path

import structlog

from sandbox.alipay.server import Server as Alipay
from sandbox.core import Settings, serve
from sandbox.wechat.server import Server as Wechat
from tests.oracles.relay import Hearing, hearing, webhooks
from tests.providers.alipay_world import APP_ID, SELLER_ID
from tests.providers.wechat_world import APIV3_KEY, APPID, MCHID, PLATFORM_ID, SERIAL, private_pem, public_pem

HERE = Path(__file__).resolve().parent / "sdk"
ROOM = Path(__file__).resolve().parents[2] / ".local" / "oracles"
INSTALL_S = 300.0
RUN_S = 300.0
"""Compiling in it."""


@dataclass(frozen=True)
class Oracle:
    """`install`: commands that put the SDK into its folder of `ROOM`; `run`: what plays the story there."""

    name: str
    sdk: str
    install: tuple[tuple[str, ...], ...]
    run: tuple[str, ...]


PIP = ("py/bin/pip", "install", "-q", "--disable-pip-version-check")
GO = {"GOFLAGS": "-mod=mod", "GOTOOLCHAIN": "local"}
ORACLES = (
    Oracle(
        "alipay", "python-alipay-sdk",
        ((sys.executable, "-m", "venv", "py"), (*PIP, "python-alipay-sdk==3.4.0")),
        ("py/bin/python", str(HERE / "alipay_python.py")),
    ),
    Oracle(
        "alipay", "npm alipay-sdk",
        (("npm", "init", "-y"), ("npm", "install", "--silent", "--no-audit", "--no-fund", "alipay-sdk@4")),
        ("node", "alipay_node.mjs"),
    ),
    Oracle(
        "tms", "npm standardwebhooks",
        (("npm", "init", "-y"), ("npm", "install", "--silent", "--no-audit", "--no-fund", "standardwebhooks@1")),
        ("node", "webhooks_node.mjs"),
    ),
    Oracle(
        "wechat", "wechatpayv3",
        ((sys.executable, "-m", "venv", "py"), (*PIP, "wechatpayv3==2.0.4")),
        ("py/bin/python", str(HERE / "wechat_python.py")),
    ),
    Oracle(
        "wechat", "wechatpay-go",
        (("go", "mod", "tidy"),),
        ("go", "run", "."),
    ),
    Oracle(
        "wechat", "wechatpay-java",
        (("mvn", "-q", "-B", "dependency:resolve"),),
        ("mvn", "-q", "-B", "compile", "exec:java", "-Dexec.mainClass=Oracle", "-Dexec.args={world}"),
    ),
)  # fmt: skip
SOURCES = {"node": "node", "go": "go", "mvn": "java"}
"""Where what an SDK is played by lies, by what runs it; Python runs it from there."""


@asynccontextmanager
async def world(kind: str, shop: Hearing) -> AsyncIterator[Mapping[str, str]]:
    """What an SDK has to be told: of a sandbox of this kind that tells this shop, or of the relay alone."""
    no = {"no": f"OR{datetime.now(UTC):%y%m%d%H%M%S}"}
    if kind == "tms":
        yield {**no, "relay": str(shop.http.base_url).rstrip("/"), **dict(webhooks())}
        return
    keys = {"MERCHANT_PUBLIC_KEY": public_pem("merchant"), "PLATFORM_PRIVATE_KEY": private_pem("platform")}
    more = {"REFUND_DELAY_S": "0"}
    server: Alipay | Wechat
    if kind == "alipay":
        server = Alipay(Settings({**keys, **more, "APP_ID": APP_ID, "SELLER_ID": SELLER_ID}, speed=1000))
    else:
        server = Wechat(
            Settings(
                {**keys, **more, "MCHID": MCHID, "APPID": APPID, "APIV3_KEY": APIV3_KEY, "MERCHANT_SERIAL": SERIAL,
                 "PLATFORM_SERIAL": PLATFORM_ID}, speed=1000,
            )
        )  # fmt: skip
    app = server.box.app(server.routes(), on_start=server.resume)
    async with serve(shop.app()) as hook, serve(app) as url:
        yield {
            **no, "url": url, "notify_url": f"{hook}/hook", "notices": str(shop.folder),
            "app_id": APP_ID, "mchid": MCHID,
            "appid": APPID, "serial": SERIAL, "apiv3_key": APIV3_KEY, "platform_id": PLATFORM_ID,
            "private_key": private_pem("merchant"), "platform_key": public_pem("platform"),
        }  # fmt: skip


async def command(words: tuple[str, ...], folder: Path, limit_s: float, more: Mapping[str, str]) -> tuple[int, str]:
    """Exit code and what it said; 127 where the program is not there, 124 after `limit_s`."""
    # Providers and their SDKs write the time of China without its zone.
    env = {**os.environ, "TZ": "Asia/Shanghai", **more}
    try:
        process = await asyncio.create_subprocess_exec(
            *words, cwd=folder, env=env, stdout=asyncio.subprocess.PIPE, stderr=asyncio.subprocess.STDOUT
        )
    except OSError as e:
        return 127, f"{words[0]}: {e.strerror}"
    try:
        async with asyncio.timeout(limit_s):
            out, _ = await process.communicate()
    except TimeoutError:
        process.kill()
        return 124, f"{words[0]} was not done after {limit_s:g} s"
    return process.returncode or 0, out.decode(errors="replace")


async def installed(oracle: Oracle, folder: Path) -> str:
    """Empty, or why it could not be."""
    _copy(oracle, folder)
    for words in oracle.install:
        code, said = await command(words, folder, INSTALL_S, GO)
        if code:
            told = [line for line in said.splitlines() if "ERROR" in line or "error" in line] or said.splitlines()
            return (told or [f"exit code {code}"])[0].strip()[:160]
    return ""


def _copy(oracle: Oracle, folder: Path) -> None:
    folder.mkdir(parents=True, exist_ok=True)
    if where := SOURCES.get(oracle.run[0]):
        for source in (HERE / where).iterdir():
            (folder / source.name.removesuffix(".txt")).write_bytes(source.read_bytes())


def _empty(folder: Path) -> Path:
    folder.mkdir(parents=True, exist_ok=True)
    for old in folder.glob("*.json"):
        old.unlink()
    return folder


async def play(oracle: Oracle, folder: Path) -> bool:
    async with hearing(oracle.name, _empty(folder / "notices")) as shop, world(oracle.name, shop) as told:
        (folder / "world.json").write_text(json.dumps(told), encoding="utf-8")
        path = str(folder / "world.json")
        words = tuple(word.replace("{world}", path) for word in oracle.run)
        code, said = await command(words if words != oracle.run else (*words, path), folder, RUN_S, {})
        steps = [line for line in said.splitlines() if line.startswith(("ok ", "WRONG "))]
        if oracle.name != "tms":
            steps += [f"ok {n}" if fits else f"WRONG {n}: {there}" async for n, fits, there in shop.steps(told["no"])]
    for line in steps:
        print(f"  {line}")
    if code or not steps or any(line.startswith("WRONG") for line in steps):
        print("\n".join(f"  | {line}" for line in said.splitlines()[-15:]))
        return False
    return True


async def main(wanted: list[str]) -> int:
    """`wanted`: words of the SDKs to play; none: all."""
    failed: list[str] = []
    absent: list[str] = []
    oracles = [one for one in ORACLES if not wanted or any(word in one.sdk for word in wanted)]
    for oracle in oracles:
        folder = ROOM / oracle.sdk.replace(" ", "-")
        if why := await installed(oracle, folder):
            absent.append(f"{oracle.sdk} ({why})")
            continue
        print(f"{oracle.sdk}:")
        if not await play(oracle, folder):
            failed.append(oracle.sdk)
    played = len(oracles) - len(absent)
    here = f"; not installed here: {'; '.join(absent)}" if absent else ""
    print(f"oracles: {played - len(failed)} of {played} SDKs agree with the sandboxes and the relay{here}")
    return 1 if failed else 0


if __name__ == "__main__":
    structlog.configure(wrapper_class=structlog.make_filtering_bound_logger(logging.ERROR))
    sys.exit(asyncio.run(main(sys.argv[1:])))
