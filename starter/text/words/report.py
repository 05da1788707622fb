"""Reports in words: tiers of cities, how returns ended, kinds of anomalies."""

from collections.abc import Mapping

from starter.text.marking import N_

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
        "taken": N_("Accepted by the buyer"),
        "refused": N_("Turned down"),
        "unanswered": N_("Unanswered"),
        "offered": N_("Offered"),
        "not_offered": N_("Not offered: their buyers had not agreed"),
        "REFUND_FAILED": N_("The refund failed"),
    },
    "training": {
        "in_force": N_("It judges: it beat the points on the month held out"),
        "not_better": N_("It does not judge: points did as well on the month held out"),
        "too_few": N_("Too few orders whose end is known: points judge"),
        "no_extra": N_(
            "Nothing here can train one (scikit-learn, the extra `training`, is not installed): points judge"
        ),
        "no_better_than_chance": N_("not surely better than chance"),
        "auc": N_("orders them no better than points"),
        "brier": N_("errs no less than points"),
        "sellers_fault": N_("the seller was at fault"),
        "not_delivered": N_("not delivered"),
    },
    "held by": {
        "rules": N_("Rule set"),
        "policy": N_("Policy"),
        "automations": N_("Automations"),
        "forms": N_("After-sales forms"),
        "insight": N_("Report parameters"),
    },
    "anomaly": {
        "refund_before_goods": N_("Money before goods"),
        "customer_stuck": N_("A buyer waits"),
        "state_mismatch": N_("Books differ"),
        "split_disputed": N_("A split in question"),
    },
}
