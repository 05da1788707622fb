"""How long a buyer may apply: counted from the day after signing, in days of the shop's calendar."""

from datetime import date, datetime, time, timedelta
from zoneinfo import ZoneInfo

from domain.returns.enums import REASONS, Reason, ReturnType
from domain.returns.facts import ReturnLineFacts
from domain.strict import Strict

SHOP_TIME = ZoneInfo("Asia/Shanghai")


class Windows(Strict):
    """Days, from the policy."""

    no_reason_days: int = 7
    quality_exchange_days: int = 15


def window_ends(signed_at: datetime, days: int) -> datetime:
    """The last moment of a window of `days`: midnight after signing plus that many days (consumer regulation: the
    count starts the day after signing). An application at that very moment is in time."""
    return _midnight_after(signed_at.astimezone(SHOP_TIME).date()) + timedelta(days=days)


def days_for(kind: ReturnType, reason: Reason, windows: Windows) -> int:
    """Exchanging for a defect has the longer window; everything else the short one."""
    exchange_for_defect = kind is ReturnType.EXCHANGE and REASONS[reason].quality
    return windows.quality_exchange_days if exchange_for_defect else windows.no_reason_days


def replaced_until(line: ReturnLineFacts, signed_at: datetime | None) -> datetime | None:
    """The last moment of a line's warranty or shelf life, whichever is longer, its last day included. None: it has
    neither, or none has begun."""
    ends = [_midnight_after(day) for day in (line.warranty_until, line.shelf_life_until) if day is not None]
    if line.warranty_until is None and line.warranty_days is not None and signed_at is not None:
        ends.append(window_ends(signed_at, line.warranty_days))
    return max(ends, default=None)


def _midnight_after(day: date) -> datetime:
    return datetime.combine(day + timedelta(days=1), time(), tzinfo=SHOP_TIME)
