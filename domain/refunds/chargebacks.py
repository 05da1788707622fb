"""What moves a chargeback. It ends once; a word that says otherwise afterwards is a person's (docs/requirements.md)."""

from enum import StrEnum

from domain.facts import Kind


class ChargebackState(StrEnum):
    OPEN = "open"
    WON = "won"
    """The money stays ours, and can be refunded again."""
    LOST = "lost"
    """The money is gone: it counts as given back."""


STEPS: dict[Kind, tuple[ChargebackState, ChargebackState]] = {
    Kind.CHARGEBACK_WON: (ChargebackState.OPEN, ChargebackState.WON),
    Kind.CHARGEBACK_LOST: (ChargebackState.OPEN, ChargebackState.LOST),
}
"""By a source's fact, or by a person's word of the same."""
DESK = "desk"
"""Source of what people of ours have entered and the books have taken: it tells the order, and is no news of money."""
ENDS = {kind: after for kind, (_, after) in STEPS.items()}
