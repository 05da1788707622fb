"""`config`: which settings a process refuses to start with (R16, R17), as `oms config check` tells it.

The items become secrets of a source of callbacks, so that they can have any name; the command runs as an operator runs
it, with an environment, a file of settings and a folder of secrets of its own.
"""

import asyncio
import json
import os
import re
import sys
import tempfile
from collections.abc import Sequence
from pathlib import Path
from typing import Annotated, Any

from pydantic import Field

from bench.scenarios.document import ByRule, Scenario, block, read
from bench.scenarios.environment import Servers
from config import startup_check
from config.processes import GROUPS, NEEDED, Process
from config.sources import ROOT, variable
from domain.config_rules import LOCAL, PROD, Setting, Source, violations
from domain.strict import Strict

Name = Annotated[str, Field(min_length=1)]
ENVIRONMENTS = (LOCAL, "test", PROD)
OURS = re.compile(r"(?!OMS_|TEMPORAL_)[A-Z][A-Z0-9_]{2,63}(?<!_TAG)")
"""Names that a secret can have without being taken for a setting of our own."""
WHO = Process.RELAY
"""It alone listens to such sources."""
AT_MOST = 5
"""Secrets of one source."""
COMMAND_S = 60.0


class ItemIn(Strict):
    name: Name
    source: Source
    env_tag: Name | None = None
    fingerprint: Name | None = None

    @property
    def value(self) -> str:
        """One that the command must never print; items of one fingerprint have the same."""
        return f"secret-of-{self.fingerprint or self.name}"


class ConfigIn(Strict):
    environment: Name
    known_test_fingerprints: tuple[Name, ...] = ()
    items: tuple[ItemIn, ...]


async def play(scenario: Scenario, _: Servers) -> Any:
    given = read(ConfigIn, block(scenario, "config"), "input.config")
    names = [item.name for item in given.items]
    if given.environment not in ENVIRONMENTS or not all(OURS.fullmatch(name) for name in names):
        return ByRule(_by_rule(given), "an environment or a name that no installation of ours has")
    if len(set(names)) < len(names):
        return ByRule(_by_rule(given), "one variable cannot hold two secrets")
    with tempfile.TemporaryDirectory(prefix="oms-scenarios-") as folder:
        return _told(given, await _checked(given, Path(folder)))


async def _checked(given: ConfigIn, folder: Path) -> dict[str, Any]:
    """What `oms config check --json` prints."""
    process = await asyncio.create_subprocess_exec(
        *(sys.executable, "-m", "starter.cli", "config", "check", "--process", WHO, "--json"),
        cwd=ROOT, env=_environment(given, folder), stdout=asyncio.subprocess.PIPE, stderr=asyncio.subprocess.PIPE,
    )  # fmt: skip
    async with asyncio.timeout(COMMAND_S):
        out, err = await process.communicate()
    if leaked := [item.name for item in given.items if item.value.encode() in out + err]:
        raise AssertionError(f"oms config check prints the values of {', '.join(leaked)}")
    found: dict[str, Any] = json.loads(out)
    if process.returncode != (0 if found["start_allowed"] else 1):
        raise AssertionError(f"oms config check ends with {process.returncode}: {err.decode()[:300]}")
    return found


def _environment(given: ConfigIn, folder: Path) -> dict[str, str]:
    in_file, secrets = [], folder / "secrets"
    secrets.mkdir()
    env = {"PATH": os.defpath, "PYTHONPATH": str(ROOT), "OMS_ENVIRONMENT": given.environment}
    env |= {"OMS_ENV_FILE": str(folder / "settings.env"), "OMS_SECRETS_DIR": str(secrets)}
    env |= {name: _harmless(name) for name in _needed() if name not in env}
    for item in given.items:
        if item.env_tag is not None:
            env[f"{item.name}_TAG"] = item.env_tag
        if item.source is Source.ENV:
            env[item.name] = item.value
        elif item.source is Source.FILE:
            (secrets / item.name.lower()).write_text(item.value)
        elif item.source is Source.FILE_LITERAL:
            in_file.append(f"{item.name}={item.value}")
    (folder / "settings.env").write_text("\n".join(in_file))
    tests = {item.value for item in given.items if item.fingerprint in given.known_test_fingerprints}
    env["OMS_KNOWN_TEST_FINGERPRINTS"] = ",".join(sorted(startup_check.fingerprint(value) for value in tests))
    env["OMS_GENERIC_SOURCES"] = ",".join(_sources(given.items, folder))
    return env


def _sources(items: Sequence[ItemIn], folder: Path) -> list[str]:
    """Mapping files that name the items, in their order."""
    files = []
    for n in range(0, len(items), AT_MOST):
        file = folder / f"source-{n}.json"
        mapping = {
            "version": 1, "source": f"scenario-{n}", "secrets": [item.name for item in items[n : n + AT_MOST]],
            "type": "/event", "occurred_at": {"at": "/at", "format": "rfc3339"},
            "fields": {"child_no": {"at": "/child"}}, "key": "{source}:{child_no}:{kind}",
            "events": {"packed": {"kind": "PACKED"}},
        }  # fmt: skip
        file.write_text(json.dumps(mapping))
        files.append(str(file))
    return files


def _needed() -> list[str]:
    groups = [group for group in GROUPS[WHO] if group in NEEDED]
    fields = [(group, name, field) for group in groups for name, field in group.model_fields.items()]
    return [variable(group, name) for group, name, field in fields if field.is_required()]


def _harmless(name: str) -> str:
    return "https://partner.example.com" if name.endswith("_URL") else f"harmless-{name}"


def _told(given: ConfigIn, found: dict[str, Any]) -> dict[str, Any]:
    names = {item.name for item in given.items}
    if strange := [v["name"] for v in found["violations"] if v["name"] not in names]:
        raise AssertionError(f"settings that the file does not name are refused: {strange}")
    told = [{"name": v["name"], "code": v["code"]} for v in found["violations"]]
    return {"start_allowed": found["start_allowed"], "violations": told}


def _by_rule(given: ConfigIn) -> dict[str, Any]:
    items = [Setting(item.name, item.source, item.env_tag, item.fingerprint) for item in given.items]
    found = violations(given.environment, items, given.known_test_fingerprints)
    return {"start_allowed": not found, "violations": [{"name": v.name, "code": v.code.value} for v in found]}
