"""Who proves commands, and what is taken at its word meanwhile."""

from pydantic import Field
from pydantic_settings import SettingsConfigDict

from config.sources import SettingsGroup, Word, is_local_stack


class ProofSettings(SettingsGroup):
    """Proofs of commands (docs/authority.md). `services`: JSON of each backend's name to its public key set, as JSON
    text or the name of a file. Without `demanded` a command that brings no proof is taken at its word: for trials, and
    until every client signs. `starts`: whether orders are started by proven services only; unless it is said, they are
    outside a developer's stack. `channels`: JSON of a service's name to the channels whose orders it may start; one
    that is not named may start all."""

    model_config = SettingsConfigDict(env_prefix="OMS_PROOFS_")

    demanded: bool = True
    services: dict[str, str] = Field(default_factory=dict)
    starts: bool | None = None
    channels: dict[str, tuple[Word, ...]] = Field(default_factory=dict)

    @property
    def starts_demanded(self) -> bool:
        return self.starts if self.starts is not None else not is_local_stack()
