"""What every payment channel may answer instead of doing what was asked: one class per way of acting on it.

Each channel's `errors.py` says which of its codes is which. What is in none of these is a plain `Refused`,
`Unavailable` or `UnknownOutcome` of `providers/errors.py`.
"""

from providers.errors import Refused, Unavailable, UnknownOutcome


class DecideByQuery(Refused):
    """The trade is not in the state that the call needs: query it, then decide."""


class OrderAlreadyPaid(DecideByQuery):
    """The buyer was faster."""


class OrderClosed(DecideByQuery):
    """Nobody can pay this order number any more."""


class OrderNumberUsed(DecideByQuery):
    """The number exists with other parameters."""


class NotFound(Refused):
    """The channel does not know the order or refund."""


class OperatorNeeded(Refused):
    """Money or account trouble that only a person can mend, after which the same call may succeed."""


class NotEnough(OperatorNeeded):
    """The merchant's balance does not cover the refund."""


class RateLimited(Unavailable):
    """Stopped before any work: repeat the same call later."""


class UnverifiedReply(UnknownOutcome):
    """A reply that is not provably the channel's, so nothing in it is believed."""
