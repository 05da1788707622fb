"""What a change of the controls asks: of whom, about what, and what it would let through."""

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any

from domain.approvals import Role


@dataclass(frozen=True)
class ControlQuestion:
    """`role`: who decides. `looser`: in words, Chinese and English. `excluded`: people who may not decide it."""

    role: Role
    content: dict[str, Any]
    looser: Sequence[str]
    excluded: Sequence[str] = ()
