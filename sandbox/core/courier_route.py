"""A parcel on its way: stops that the courier will scan one after another, whoever the courier is."""

from collections.abc import Callable
from dataclasses import dataclass, field
from datetime import datetime, timedelta

from sandbox.core.sandbox_app import Sandbox


@dataclass(frozen=True)
class Scan:
    at: datetime
    code: str
    text: str


@dataclass
class Parcel:
    """`way`: codes of its stops; `ends`: codes after which nothing follows."""

    waybill_no: str
    way: tuple[str, ...]
    ends: tuple[str, ...]
    since: datetime
    order_no: str = ""
    scans: list[Scan] = field(default_factory=list)

    @property
    def finished(self) -> bool:
        return bool(self.scans) and self.scans[-1].code in self.ends

    def next_code(self) -> str | None:
        """The first stop of the way that no scan has reached yet."""
        done = {scan.code for scan in self.scans}
        return None if self.finished else next((code for code in self.way if code not in done), None)


def expect_next(box: Sandbox, parcel: Parcel, stages_s: tuple[float, ...], scan: Callable[[str], None]) -> None:
    """Calls `scan` with the code of the next stop when its time has come, unless somebody moved the parcel by hand."""
    code = parcel.next_code()
    if code is None:
        return
    done, speed = len(parcel.scans), box.settings.speed
    last = parcel.scans[-1].at if parcel.scans else parcel.since
    due = last + timedelta(seconds=stages_s[min(done, len(stages_s) - 1)] / speed)
    wait_s = max(0.0, (due - box.clock()).total_seconds())

    def arrive() -> None:
        if len(parcel.scans) == done:
            scan(code)

    box.later(wait_s * speed, arrive)
