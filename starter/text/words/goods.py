"""Goods and money in words. English here; the Chinese stands in the catalogue."""

from collections.abc import Mapping

from starter.text.marking import N_

GOODS_WORDS: Mapping[str, Mapping[str, str]] = {
    "stock move": {
        "receive": N_("Came in"),
        "reserve": N_("Reserved"),
        "release": N_("Free again"),
        "ship": N_("Shipped"),
        "unship": N_("Lost after shipping"),
        "write_off": N_("Written off"),
        "shrink": N_("Not found at a count"),
        "freeze": N_("Coming back"),
        "unfreeze": N_("Did not come back"),
        "grade_good": N_("Back as new"),
        "grade_minor": N_("Back as second hand"),
        "grade_scrap": N_("Back as scrap"),
    },
    "money kind": {
        "payments": N_("Payments"),
        "refunds": N_("Refunds"),
        "chargebacks": N_("Chargebacks"),
        "outside": N_("Money from outside"),
        "unmatched": N_("Not matched yet"),
    },
    "money state": {
        "PAID": N_("Paid"),
        "REQUESTED": N_("Asked for"),
        "ACCEPTED": N_("Accepted by the channel"),
        "SUCCEEDED": N_("Paid back"),
        "ABNORMAL": N_("Stuck at the channel"),
        "CLOSED": N_("Refund closed"),
        "open": N_("Not decided"),
        "won": N_("Won"),
        "lost": N_("Lost"),
        "waits": N_("Waits for finance"),
        "book_refund": N_("Booked as a refund"),
        "give_back": N_("Given back"),
        "book_payment": N_("Booked as the payment"),
        "book_chargeback": N_("Booked as a chargeback"),
    },
    "stock way": {
        "counted": N_("Counted: units on the shelf, reserved ones among them"),
        "more": N_("More than the books say, by"),
        "fewer": N_("Fewer than the books say, by"),
    },
    "drift": {
        "payment": N_("Payment: the channel says otherwise"),
        "refund": N_("Refund: the channel says otherwise"),
        "outbound": N_("Outbound order: the warehouse says otherwise"),
        "parcel": N_("Parcel: the courier says otherwise"),
        "view": N_("The order itself says otherwise"),
        "workflow": N_("Nobody answers for the order"),
    },
    "outside kind": {
        "refund": N_("A refund that nobody asked for here"),
        "payment": N_("A payment that is not the order's"),
        "chargeback": N_("The buyer's bank takes money back"),
    },
    "book as": {
        "book_refund": N_("A refund: the buyer has got it"),
        "give_back": N_("To be given back to the payer"),
        "book_payment": N_("The order's payment"),
        "book_chargeback": N_("A chargeback: refunds wait for the bank"),
    },
}
GOODS_COLOURS: Mapping[str, Mapping[str, str]] = {
    "money state": {
        "PAID": "green", "REQUESTED": "yellow", "ACCEPTED": "blue", "SUCCEEDED": "green", "ABNORMAL": "red",
        "open": "orange", "won": "green", "waits": "red",
    },
}  # fmt: skip
