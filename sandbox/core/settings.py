"""What a sandbox server is started with."""

from collections.abc import Callable, Mapping
from dataclasses import dataclass, field
from datetime import UTC, datetime
from pathlib import Path

Clock = Callable[[], datetime]


def utc_now() -> datetime:
    return datetime.now(UTC)


class MissingSetting(Exception):
    """A sandbox was started without a value that it cannot invent."""


@dataclass(frozen=True)
class Settings:
    """`values`: the sandbox's own settings without their prefix. `data_dir` None keeps the journal in memory."""

    values: Mapping[str, str] = field(default_factory=dict)
    data_dir: Path | None = None
    speed: float = 1.0
    """Provider delays and retry schedules are divided by this."""
    clock: Clock = utc_now
    prefix: str = ""
    """Environment prefix of `values`, for error texts."""

    def need(self, name: str) -> str:
        value = self.values.get(name, "")
        if not value:
            raise MissingSetting(f"{self.prefix}{name} is not set")
        return value

    def get(self, name: str, default: str = "") -> str:
        return self.values.get(name) or default


def from_env(name: str, env: Mapping[str, str]) -> Settings:
    """`SANDBOX_DATA_DIR`, `SANDBOX_SPEED`, and every `SANDBOX_<NAME>_*` as a value."""
    prefix = f"SANDBOX_{name.upper()}_"
    data_dir = env.get("SANDBOX_DATA_DIR", "")
    return Settings(
        values={k.removeprefix(prefix): v for k, v in env.items() if k.startswith(prefix)},
        data_dir=Path(data_dir) if data_dir else None,
        speed=float(env.get("SANDBOX_SPEED") or "1"),
        prefix=prefix,
    )
