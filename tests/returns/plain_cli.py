"""The plain Temporal CLI, without our code."""

import asyncio
import json
import sysconfig
from pathlib import Path
from typing import Any

from temporalio.client import Client

from bench.scenarios.environment import ScenarioEnvironment


async def temporal_cli(house: ScenarioEnvironment, *arguments: str) -> dict[str, Any]:
    return await workflow_command(house.temporal, *arguments)


async def workflow_command(client: Client, *arguments: str) -> dict[str, Any]:
    """What `temporal workflow …` answers; beside the loop that runs the worker."""
    where = ("--address", client.service_client.config.target_host, "--namespace", client.namespace, "-o", "json")
    binary = str(Path(sysconfig.get_path("scripts")) / "temporal")
    process = await asyncio.create_subprocess_exec(
        *(binary, "workflow", *arguments, *where), stdout=asyncio.subprocess.PIPE, stderr=asyncio.subprocess.PIPE
    )
    async with asyncio.timeout(60):
        out, err = await process.communicate()
    assert process.returncode == 0, err.decode()
    return dict(json.loads(out)) if out.strip() else {}
