"""What people decide about a source of callbacks: a change of the controls (`domain/access/controls.py`)."""

from ipaddress import ip_network
from typing import Annotated, Literal

from pydantic import Field, field_validator

from domain.strict import Strict


class SetSource(Strict):
    """Whether a source of callbacks is listened to, and from where. `allow`: networks, within those of the relay's own
    settings; none named: from wherever the settings let it."""

    kind: Literal["set_source"] = "set_source"
    source: Annotated[str, Field(pattern=r"^[a-z][a-z0-9_-]{0,39}$")]
    enabled: bool
    allow: Annotated[tuple[str, ...], Field(max_length=50)] = ()

    @field_validator("allow")
    @classmethod
    def _networks(cls, given: tuple[str, ...]) -> tuple[str, ...]:
        return tuple(dict.fromkeys(str(ip_network(text)) for text in given))


def lets_in(change: SetSource) -> tuple[str, ...]:
    """What a source may do once it is decided, told whole, whatever was before."""
    zh = "、".join(change.allow) or "配置允许的任何地址"
    en = ", ".join(change.allow) or "wherever the settings let it"
    return (f"回调来源 {change.source} 可从 {zh} 发送 / the source {change.source} may send from {en}",)
