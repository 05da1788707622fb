"""The programs that people and backends call: `oms` and the plain `temporal` command, each as a process of its own."""

import asyncio
import json
import subprocess
import sys
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from deploy.local.temporal import temporal_binary

ROOT = Path(__file__).resolve().parents[2]
LONGEST_S = 60
READER = "ops-anna"
"""Who reads what stands encrypted in histories."""


@dataclass(frozen=True)
class Said:
    """What a program said and how it ended."""

    code: int
    out: str
    err: str

    @property
    def json(self) -> Any:
        """The one JSON document that it printed; it must have worked."""
        assert self.code == 0, self
        return json.loads(self.out)

    @property
    def refusal(self) -> str:
        """The code of the one JSON document that says what could not be done."""
        told = json.loads(self.out)["error"]
        assert self.code == told["exit_code"] != 0, self
        return str(told["code"])


async def oms(city: Mapping[str, str], *words: str) -> Said:
    """`oms WORDS`."""
    return await run([sys.executable, "-m", "starter.cli", *words], city)


async def temporal(city: Mapping[str, str], *words: str) -> Said:
    """`temporal workflow WORDS`: nothing of ours on the calling side but a sign-in at the codec server."""
    signed_in = await oms(city, "token", "read", "--as", READER, "--json")
    codec = {
        "TEMPORAL_CODEC_ENDPOINT": f"http://{city['OMS_CODEC_HOST']}:{city['OMS_CODEC_PORT']}",
        "TEMPORAL_CODEC_AUTH": f"Bearer {signed_in.json['token']}",
    }
    command = [str(temporal_binary()), "workflow", *words, "--address", city["TEMPORAL_ADDRESS"], "--color", "never"]
    return await run(command, {**city, **codec})


async def run(command: Sequence[str], city: Mapping[str, str]) -> Said:
    done = await asyncio.to_thread(
        subprocess.run, command, capture_output=True, text=True, timeout=LONGEST_S, check=False, cwd=ROOT, env=city
    )
    return Said(done.returncode, done.stdout, done.stderr)
