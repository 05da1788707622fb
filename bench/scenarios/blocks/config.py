"""`config`: which settings a process refuses to start with (R16, R17)."""

from typing import Annotated, Any

from pydantic import Field

from bench.scenarios.document import Scenario, block, read
from bench.scenarios.town import Town
from domain.config_rules import Item, Source, violations
from domain.strict import Strict

Name = Annotated[str, Field(min_length=1)]


class ItemIn(Strict):
    name: Name
    source: Source
    env_tag: Name | None = None
    fingerprint: Name | None = None


class ConfigIn(Strict):
    environment: Name
    known_test_fingerprints: tuple[Name, ...] = ()
    items: tuple[ItemIn, ...]


async def play(scenario: Scenario, _: Town) -> dict[str, Any]:
    given = read(ConfigIn, block(scenario, "config"), "input.config")
    items = [Item(item.name, item.source, item.env_tag, item.fingerprint) for item in given.items]
    found = violations(given.environment, items, given.known_test_fingerprints)
    return {"start_allowed": not found, "violations": [{"name": v.name, "code": v.code.value} for v in found]}
