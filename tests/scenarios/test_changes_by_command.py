"""The same changes from a terminal: asked, shown line by line, approved, and seen by either number."""

import asyncio
import json
import os
import subprocess
import sys
from pathlib import Path

from bench.scenarios.environment import ScenarioEnvironment, Servers
from deploy.local.logins import as_role
from tests.scenarios.children import CHILD, ORDER, desk, line


async def oms(servers: Servers, house: ScenarioEnvironment, *arguments: str) -> "subprocess.CompletedProcess[str]":
    """`oms` as a process of its own, pointed at the house."""
    postgres, _ = await servers._open()
    database = await house.pool.fetchval("SELECT current_database()")
    env = {
        **{k: v for k, v in os.environ.items() if not k.startswith(("OMS_", "TEMPORAL_"))},
        "OMS_ENV_FILE": "",
        "OMS_ENVIRONMENT": "local",
        "OMS_DATABASE_URL": as_role(postgres.url(database), "oms_operator"),
        "TEMPORAL_ADDRESS": house.temporal.service_client.config.target_host,
        "TEMPORAL_NAMESPACE": house.temporal.namespace,
    }
    command = [sys.executable, "-m", "starter.cli", *arguments]
    return await asyncio.to_thread(
        subprocess.run, command, capture_output=True, text=True, timeout=60, check=False, env=env
    )


async def test_shipping_together_and_splitting_by_hand_from_a_terminal(servers: Servers, tmp_path: Path) -> None:
    apart = (line(1, 2, 333), line(2, 1, 500, warehouse="WH-2"))
    async with desk(servers, *apart, extra_stock={("SKU-1", "WH-2"): 2}) as d:
        silent = await oms(
            servers, d.house, "order", "merge", ORDER, CHILD[1], CHILD[2], "--remark", " ", "--by", "u-ops"
        )
        assert (silent.returncode, "REMARK_REQUIRED" in silent.stderr) == (1, True), silent.stderr
        asked = await oms(
            servers, d.house, "order", "merge", ORDER, CHILD[1], CHILD[2], "--remark", "one parcel", "--from", "WH-2",
            "--by", "u-ops", "--json",
        )  # fmt: skip
        number = json.loads(asked.stdout)["approval_id"]
        shown = await oms(servers, d.house, "approve", "show", number)
        assert "Ship together" in shown.stdout
        assert all(word in shown.stdout for word in (CHILD[1], CHILD[2], "one parcel", "WH-2", "12.67 CNY"))
        await d.approve(number)
        order = await oms(servers, d.house, "order", "show", CHILD[1])
        assert f"merged: ships as {CHILD[3]} (one parcel)" in order.stdout
        parts = tmp_path / "parts.json"
        parts.write_text(json.dumps({"children": [CHILD[3]], "into": [{"lines": {"L1": 2}}, {"lines": {"L2": 1}}]}))
        wish = ("order", "resplit", ORDER, str(parts), "--remark", "too heavy", "--by", "u-ops", "--json")
        split = await oms(servers, d.house, *wish)
        await d.approve(json.loads(split.stdout)["approval_id"])
        assert await d.statuses() == {**dict.fromkeys((1, 2, 3), "CANCELLED"), 4: "RELEASED", 5: "RELEASED"}
        parts.write_text('{"children": [], "into": 7}')
        bad = await oms(servers, d.house, "order", "resplit", ORDER, str(parts), "--remark", "x")
        assert (bad.returncode, bad.stdout) == (2, "")
