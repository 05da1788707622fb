"""Automations in words. English here; the Chinese stands in the catalogue."""

from collections.abc import Mapping

from starter.text.marking import N_

AUTOMATION_WORDS: Mapping[str, Mapping[str, str]] = {
    "automation_trigger": {
        "order_placed": N_("An order was placed"),
        "order_paid": N_("An order was paid"),
        "order_split": N_("An order was split into parcels"),
        "child_waits": N_("A parcel has not left for so long"),
        "deadline_near": N_("It was promised to leave soon"),
        "return_applied": N_("A return was applied for"),
        "waybill_silent": N_("No courier has scanned it for so long"),
        "ticket_opened": N_("A ticket was opened"),
        "stock_arrived": N_("Goods came in for a parcel"),
        "channel_message": N_("The buyer has told the channel something"),
    },
    "automation_act": {
        "hold": N_("Hold the order"),
        "release": N_("Release what automations hold"),
        "carrier": N_("Take another carrier"),
        "refund": N_("Pay back what has not left"),
        "tag": N_("Put a tag on it"),
        "note": N_("Write a note"),
        "assign": N_("Assign the ticket"),
        "notify": N_("Tell a team (ticket)"),
        "webhook": N_("Tell subscribers (webhook)"),
        "approval": N_("Hold it and ask for approval"),
        "refresh": N_("Ask the outside systems now"),
    },
    "automation_state": {
        "done": N_("Done"),
        "asked": N_("Somebody is asked"),
        "not_done": N_("Not done"),
        "APPLIED": N_("The order has done it"),
        "MISMATCH": N_("The order could not do it"),
        "STALE": N_("The order had ended"),
        "DUPLICATE": N_("Told again"),
        "HELD": N_("It waits"),
    },
}
