"""Questions to a second person in words. English here; the Chinese stands in the catalogue."""

from collections.abc import Mapping

from starter.text.marking import N_

APPROVAL_WORDS: Mapping[str, Mapping[str, str]] = {
    "approval": {
        "refund_application": N_("Refund applied for"),
        "refund_payout": N_("Refund before payout"),
        "refund_lowered": N_("Refund lowered"),
        "merge_shipment": N_("Ship together"),
        "manual_resplit": N_("Split by hand"),
        "publish_rules": N_("Publish rules"),
        "dispute": N_("Dispute"),
        "state_correction": N_("State corrected by hand"),
        "exchange": N_("Exchange"),
        "return_review": N_("Return"),
        "outside_money": N_("Money from outside"),
        "money_fact": N_("What is said of money"),
        "cancel_paid": N_("A paid order is cancelled"),
        "change_people": N_("Change of people"),
        "publish_policy": N_("Publish a policy"),
        "publish_automations": N_("Publish automations"),
        "publish_forms": N_("Publish after-sales forms"),
        "automation": N_("Asked by an automation"),
        "correct_stock": N_("Correct the stock"),
        "set_source": N_("A source of callbacks is let in"),
    },
    "approval_state": {
        "open": N_("Waits for a decision"),
        "approved": N_("Approved"),
        "rejected": N_("Rejected"),
        "withdrawn": N_("Withdrawn"),
    },
}
