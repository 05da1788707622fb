"""One catalogue: the domain's, the database's and the contract's."""

from enum import StrEnum
from pathlib import Path

import pytest

from config.settings import OutboundSettings, UnableToConfigure, load
from domain.outbound.published import PAYLOADS, USUAL, EventType, SubscriberRole
from store.pool import Pool

CONTRACT = Path(__file__).resolve().parents[2] / "docs/contract/subscriptions.md"


@pytest.mark.parametrize(("column", "names"), [("types", EventType), ("role", SubscriberRole)])
async def test_the_database_takes_exactly_what_the_domain_knows(pool: Pool, column: str, names: type[StrEnum]) -> None:
    checks = await pool.fetch(
        """SELECT pg_get_constraintdef(oid) AS text FROM pg_constraint
           WHERE conrelid = 'subscriptions'::regclass AND contype = 'c' AND conname LIKE $1""",
        f"subscriptions_{column}_check",
    )
    quoted = [word for word in checks[0]["text"].split("'")[1::2] if word != "{}"]
    assert set(quoted) == {name.value for name in names}


def test_the_contract_tells_every_event_with_its_fields_and_every_role() -> None:
    rows = [line for line in CONTRACT.read_text().splitlines() if line.startswith("| `")]
    for event, payload in PAYLOADS.items():
        (row,) = [r for r in rows if r.startswith(f"| `{event.value}`")]
        missing = [f for f in payload.model_fields if f not in ("order_no", "seq") and f"`{f}`" not in row]
        assert missing == [], event
    for role, types in USUAL.items():
        (row,) = [r for r in rows if r.startswith(f"| `{role.value}`")]
        assert [t for t in EventType if f"`{t.value}`" in row] == [t for t in EventType if t in types], role


@pytest.mark.parametrize(
    "given",
    [
        {"OMS_OUTBOUND_LOOPBACK": "true", "OMS_ENVIRONMENT": "prod"},
        {"OMS_OUTBOUND_SPEED": "60", "OMS_ENVIRONMENT": "prod"},
        {"OMS_OUTBOUND_LOOPBACK": "true"},
        {"OMS_OUTBOUND_NETWORKS": "127.0.0.0/8", "OMS_ENVIRONMENT": "test"},
        {"OMS_OUTBOUND_NETWORKS": "0.0.0.0/0", "OMS_ENVIRONMENT": "test"},
        {"OMS_OUTBOUND_PORTS": "0", "OMS_ENVIRONMENT": "test"},
    ],
)
def test_settings_that_would_open_the_inside_are_refused(
    given: dict[str, str], monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("OMS_ENV_FILE", "")
    monkeypatch.delenv("OMS_ENVIRONMENT", raising=False)
    for name, value in given.items():
        monkeypatch.setenv(name, value)
    with pytest.raises(UnableToConfigure):
        load(OutboundSettings)
