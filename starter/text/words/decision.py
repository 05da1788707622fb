"""Why a decision, or a step of a return, was not taken, in words. English here; the Chinese stands in the catalogue."""

from collections.abc import Mapping

from starter.text.marking import N_

DECISION_WORDS: Mapping[str, Mapping[str, str]] = {
    "refusal": {
        "SELF_APPROVAL": N_("You asked for it yourself, or stand in for who did. Another person has to decide."),
        "WRONG_ROLE": N_("This is decided in a role that you do not hold."),
        "NOT_DISTINCT": N_("You have a part in it already. Another person has to decide."),
        "HASH_MISMATCH": N_("What is asked has changed since you saw it. Look at it again."),
        "ALREADY_DECIDED": N_("Somebody has decided it before you."),
        "TOKEN_EXPIRED": N_("Your proof was too old. Do it again."),
        "TOKEN_INVALID": N_("Your proof was not believed. Sign in again."),
        "TOKEN_REPLAYED": N_("This proof has served before. Do it again."),
        "PERSON_INACTIVE": N_("You, or the person you stand in for, are deactivated."),
        "REMARK_REQUIRED": N_("A decision needs a remark. Say why."),
        "NOT_BOOKED": N_("Approved, but not booked: open the money and book it there, or read why it cannot be."),
        "UNKNOWN_APPROVAL": N_("There is no such question."),
        "BAD_DECISION": N_("This decision could not be read. Look at it again."),
        "NotNow": N_("That does not fit how the return stands now."),
        "FORBIDDEN": N_("Only who has applied may do this."),
        "SAME_PERSON": N_("You have asked for it or approved it. Another person has to do this."),
        "UNKNOWN_CODE": N_("No return has this code. Look at the slip and scan it again."),
        "NOT_LEFT": N_("By our books these goods never left the warehouse. Refresh the order, then try again."),
        "AMOUNT_RAISED": N_("The amount is lowered only, never raised."),
        "PROOF_REQUIRED": N_("Nobody proves who you are. Sign in again."),
        "PROOF_MISMATCH": N_("Your proof was made for something else. Do it again."),
        "UNKNOWN_PERSON": N_("You are not known here. Ask an administrator."),
        "NOT_THE_SENDER": N_("This was said in another name than yours."),
        "Ended": N_("What it asks for is over: there is nothing to decide any more."),
        "TooMany": N_("Too many at once. Wait a moment."),
        "TooOften": N_("Too often. Wait a moment."),
        "NoAnswer": N_("Nobody has answered in time. Look whether it is decided before you do it again."),
        "NO_PROOF": N_("Nobody proves who you are just now. Nothing was sent. Sign in again, or wait a moment."),
        "UNREACHABLE": N_("Nothing was sent: the workflows cannot be reached. Wait a moment."),
        "TOKEN_KEYS_UNAVAILABLE": N_("The keys that prove who you are cannot be read just now. Wait a moment."),
    },
}
"""By kind of word; `starter/text/words/states.py` takes them up."""
