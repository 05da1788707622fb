"""Messages of outside systems in words. English here; the Chinese stands in the catalogue."""

from collections.abc import Mapping

from starter.text.marking import N_

CALLBACK_WORDS: Mapping[str, Mapping[str, str]] = {
    "message state": {
        "received": N_("To be delivered"),
        "delivered": N_("Delivered"),
        "applied": N_("Used"),
        "held": N_("Kept for later"),
        "stale": N_("Too old to matter"),
        "duplicate": N_("Known already"),
        "mismatch": N_("Does not fit"),
        "parked": N_("Waits for its order"),
        "dead": N_("Cannot be delivered"),
        "kept": N_("Kept as a trace"),
        "conflicting": N_("Says something else"),
    },
    "effect": {
        "moves": N_("Moves something"),
        "held": N_("Kept for later"),
        "duplicate": N_("Known already"),
        "stale": N_("Too old to matter"),
        "mismatch": N_("Does not fit"),
        "parks": N_("Waits for its order"),
        "unreadable": N_("Cannot be read"),
    },
    "subscription state": {"enabled": N_("Enabled"), "disabled": N_("Disabled")},
    "delivery state": {
        "pending": N_("To be sent"),
        "acknowledged": N_("Acknowledged"),
        "failed": N_("Given up"),
        "dropped": N_("Dropped"),
    },
}
CALLBACK_COLOURS: Mapping[str, Mapping[str, str]] = {
    "message state": {
        "applied": "green", "delivered": "green", "mismatch": "orange", "parked": "yellow", "dead": "red",
        "conflicting": "red", "received": "blue",
    },
}  # fmt: skip
