"""The scenario's clock and the environment's: one constant offset between them, so that every duration stays exact."""

from dataclasses import dataclass
from datetime import datetime, timedelta, timezone, tzinfo

SHANGHAI = timezone(timedelta(hours=8))


@dataclass(frozen=True)
class Shift:
    """`there`: a moment of the scenario; `here`: the same moment in the environment."""

    there: datetime
    here: datetime

    def to_house(self, moment: datetime) -> datetime:
        return self.here + (moment - self.there)

    def to_file(self, moment: datetime, zone: tzinfo | None = None) -> str:
        """As the file writes it: whole seconds, in the zone of `there` unless another is given.

        The house lags a little behind what it is told, never ahead of it: fractions of a second are its own work.
        """
        told = (self.there + (moment - self.here)).astimezone(zone or self.there.tzinfo or SHANGHAI)
        return told.replace(microsecond=0).isoformat()
