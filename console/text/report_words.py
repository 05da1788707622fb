"""Reports in words: tiers of cities, how returns ended, kinds of anomalies."""

from collections.abc import Mapping

from console.text.catalogue import N_

REPORT_WORDS: Mapping[str, Mapping[str, str]] = {
    "report part": {
        "tier1": N_("First-tier cities"),
        "new_tier1": N_("New first-tier cities"),
        "tier2": N_("Second-tier cities"),
        "tier3": N_("Third-tier cities"),
        "tier4": N_("Fourth-tier cities"),
        "tier5": N_("Fifth-tier cities"),
        "other": N_("Other cities"),
        "REFUNDED": N_("Refunded"),
        "EXCHANGED": N_("Exchanged"),
        "REJECTED": N_("Refused"),
        "CANCELLED_BY_BUYER": N_("Taken back by the buyer"),
        "CLOSED_NOT_SENT": N_("Never sent back"),
        "REFUND_FAILED": N_("The refund failed"),
    },
    "held by": {
        "rules": N_("Rule set"),
        "policy": N_("Policy"),
        "insight": N_("Report parameters"),
    },
    "anomaly": {
        "refund_before_goods": N_("Money before goods"),
        "customer_stuck": N_("A buyer waits"),
        "state_mismatch": N_("Books differ"),
        "split_disputed": N_("A split in question"),
    },
}
