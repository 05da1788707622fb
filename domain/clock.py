"""The type of a clock, for everybody who is handed one. Nothing in the domain calls it: here time is an argument."""

from collections.abc import Callable
from datetime import datetime

Clock = Callable[[], datetime]
"""The time now, with its zone."""
