"""Faults on demand: armed over HTTP, used up by the calls and callbacks that they match."""

import json
from collections.abc import Callable, Collection, Mapping
from dataclasses import asdict, dataclass, field
from typing import Any

HTTP_FAULTS = frozenset({"error_before", "error_after", "too_many", "hang", "garbage", "reset"})
CALLBACK_FAULTS = frozenset({"lost_callback", "duplicate_callback", "reorder_callback", "delay_callback"})


class UnableToArm(Exception):
    """The fault as asked for makes no sense here; the text says why."""


@dataclass
class Fault:
    """`operation` "*" fits every operation; `match` must agree with the ids of the call; `delay_s` is real seconds."""

    operation: str
    fault: str
    times: int = 1
    match: dict[str, str] = field(default_factory=dict)
    delay_s: float | None = None


Fired = Callable[[Fault, str, Mapping[str, str]], None]


class Faults:
    """`fired` is told of every fault used up: the fault, the operation and the ids of the call."""

    def __init__(self, own: Collection[str] = (), fired: Fired = lambda _fault, _operation, _ids: None) -> None:
        self._fired = fired
        self.known = HTTP_FAULTS | CALLBACK_FAULTS | frozenset(own)
        self._armed: list[Fault] = []

    def arm(self, fault: Fault) -> None:
        if fault.fault not in self.known:
            raise UnableToArm(f"no fault {fault.fault!r} here; known are {', '.join(sorted(self.known))}")
        if fault.times < 1:
            raise UnableToArm("times must be at least 1")
        self._armed.append(fault)

    def arm_json(self, raw: bytes) -> Fault:
        try:
            value: Any = json.loads(raw)
            fault = Fault(**value)
            fault.times, fault.match = int(fault.times), {str(k): str(v) for k, v in dict(fault.match).items()}
            fault.delay_s = None if fault.delay_s is None else float(fault.delay_s)
        except (TypeError, ValueError) as e:
            raise UnableToArm(f"a fault is {{operation, fault, times?, match?, delay_s?}}: {e}") from None
        self.arm(fault)
        return fault

    def take(self, operation: str, ids: Mapping[str, str], *, only: Collection[str]) -> Fault | None:
        """Use up one armed fault that fits and is named in `only`, oldest first."""
        for fault in self._armed:
            if fault.fault in only and fault.operation in ("*", operation) and _fits(fault.match, ids):
                fault.times -= 1
                if fault.times == 0:
                    self._armed.remove(fault)
                self._fired(fault, operation, ids)
                return fault
        return None

    def clear(self) -> None:
        self._armed.clear()

    def as_json(self) -> list[dict[str, Any]]:
        return [asdict(f) for f in self._armed]


def _fits(match: Mapping[str, str], ids: Mapping[str, str]) -> bool:
    return all(ids.get(name) == value for name, value in match.items())
