"""The one error tree under which every outside system's errors hang. Each system subclasses these beside its client."""

from typing import ClassVar

from domain.call_outcome import CallOutcome


class ProviderError(Exception):
    """A call to an outside system did not succeed.

    `system` names it, `code` is the system's own code (or our word for a transport fault), `message` is safe to log.
    """

    outcome: ClassVar[str] = "error"

    def __init__(self, system: str, code: str, message: str, *, retry_after_s: float | None = None) -> None:
        super().__init__(f"{system} {code}: {message}")
        self.system = system
        self.code = code
        self.message = message
        self.retry_after_s = retry_after_s


class Refused(ProviderError):
    """The system said no for a business or permanent reason: the same call will be refused again."""

    outcome = CallOutcome.REFUSED


class Unavailable(ProviderError):
    """Certainly not done (connection refused, 429, 503 before work): repeat the same call later."""

    outcome = CallOutcome.RETRY


class UnknownOutcome(ProviderError):
    """May or may not have been done (time-out or reset after sending, 5xx, garbage): query before deciding."""

    outcome = CallOutcome.UNKNOWN
