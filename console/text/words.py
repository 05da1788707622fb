"""States of the books in words. English here; the Chinese stands in the catalogue."""

from collections.abc import Mapping

from console.text.catalogue import N_

STATES: Mapping[str, Mapping[str, str]] = {
    "order": {
        "PENDING_PAYMENT": N_("To be paid"),
        "AWAITING_SHIPMENT": N_("To be shipped"),
        "PARTIALLY_SHIPPED": N_("Partly shipped"),
        "SHIPPED": N_("Shipped"),
        "DELIVERED": N_("Delivered"),
        "COMPLETED": N_("Completed"),
        "CLOSED": N_("Closed"),
    },
    "payment": {
        "NONE": N_("Nothing to pay"),
        "CREATED": N_("Not paid yet"),
        "PAID": N_("Paid"),
        "CLOSED": N_("Payment closed"),
        "LATE": N_("Paid too late"),
    },
    "child": {
        "CREATED": N_("Being prepared"),
        "RISK_HOLD": N_("Held: risk"),
        "BACKORDER": N_("Waits for stock"),
        "CUSTOMS_HOLD": N_("Held: customs"),
        "RELEASED": N_("At the warehouse"),
        "PICKING": N_("Being picked"),
        "PACKED": N_("Packed"),
        "SHIPPED": N_("Shipped"),
        "IN_TRANSIT": N_("On its way"),
        "OUT_FOR_DELIVERY": N_("Out for delivery"),
        "SIGNED": N_("Signed for"),
        "INTERCEPTING": N_("Being stopped"),
        "CANCELLED": N_("Cancelled"),
        "EXCEPTION": N_("Something went wrong"),
        "REFUSED": N_("Refused at the door"),
    },
    "refund": {
        "REQUESTED": N_("Asked for"),
        "ACCEPTED": N_("Accepted by the channel"),
        "SUCCEEDED": N_("Paid back"),
        "ABNORMAL": N_("Stuck at the channel"),
        "CLOSED": N_("Refund closed"),
    },
    "case": {
        "APPLIED": N_("Applied for"),
        "SUPERVISOR_REVIEW": N_("A supervisor decides"),
        "WAITING_RETURN": N_("Waits for the goods"),
        "IN_RETURN": N_("Goods on their way back"),
        "RECEIVED": N_("Goods received"),
        "INSPECTED": N_("Inspected"),
        "FINANCE_REVIEW": N_("Finance decides"),
        "REFUNDING": N_("Being paid back"),
        "REFUNDED": N_("Paid back"),
        "REPLACEMENT_QC": N_("Replacement is checked"),
        "REPLACEMENT_SHIPPED": N_("Replacement shipped"),
        "EXCHANGED": N_("Exchanged"),
        "REJECTED": N_("Rejected"),
        "CANCELLED_BY_BUYER": N_("Taken back by the buyer"),
        "CLOSED_NOT_SENT": N_("Closed: never sent"),
        "REFUND_FAILED": N_("Refund failed"),
    },
    "role": {
        "CS_AGENT": N_("Customer service"),
        "CS_SUPERVISOR": N_("Customer service lead"),
        "FINANCE": N_("Finance"),
        "WAREHOUSE": N_("Warehouse"),
        "ORDER_OPS": N_("Order operations"),
        "RULE_EDITOR": N_("Rule editor"),
        "ADMIN": N_("Administrator"),
    },
    "severity": {
        "urgent": N_("Urgent"),
        "normal": N_("Normal"),
        "info": N_("For information"),
    },
}

WAITS: Mapping[str, str] = {
    "nothing": N_("Nothing"),
    "payment until ": N_("Payment until "),
    "a late payment, to give it back": N_("A late payment, to give it back"),
    "warehouse and carrier": N_("Warehouse and carrier"),
    "receipt": N_("The buyer's receipt"),
    "the end of the after-sales window": N_("The end of the after-sales window"),
    "answers to its tickets": N_("Answers to its tickets"),
    "tags of its SKUs": N_("Tags of its SKUs in the catalogue"),
    "refund ": N_("Refund "),
    "what could not be stopped, to leave the warehouse": N_("What could not be stopped, to leave the warehouse"),
    "the warehouse, to stop it": N_("The warehouse, to stop it"),
    "the refund": N_("The refund"),
    "the goods, to be sent back": N_("The goods, to be sent back"),
    "the return desk": N_("The return desk"),
    "inspection": N_("Inspection"),
    "a parcel that comes after all": N_("A parcel that comes after all"),
    "the replacement to be signed for": N_("The replacement, to be signed for"),
    "stock for the replacement": N_("Stock for the replacement"),
    "CS_SUPERVISOR: ": N_("A supervisor's decision: "),
    "FINANCE: ": N_("A decision of finance: "),
}
"""How a text begins that says what is waited for; what follows is a number or a time."""

COLOURS: Mapping[str, Mapping[str, str]] = {
    "order": {
        "PENDING_PAYMENT": "yellow", "AWAITING_SHIPMENT": "blue", "PARTIALLY_SHIPPED": "cyan", "SHIPPED": "cyan",
        "DELIVERED": "teal", "COMPLETED": "green", "CLOSED": "secondary",
    },
    "child": {
        "RISK_HOLD": "orange", "BACKORDER": "orange", "CUSTOMS_HOLD": "orange", "RELEASED": "blue", "PICKING": "blue",
        "PACKED": "blue", "SHIPPED": "cyan", "IN_TRANSIT": "cyan", "OUT_FOR_DELIVERY": "cyan", "SIGNED": "green",
        "INTERCEPTING": "orange", "EXCEPTION": "red", "REFUSED": "red",
    },
    "refund": {"REQUESTED": "yellow", "ACCEPTED": "blue", "SUCCEEDED": "green", "ABNORMAL": "red"},
    "case": {"REFUNDED": "green", "EXCHANGED": "green", "REFUND_FAILED": "red", "REJECTED": "secondary"},
    "payment": {"CREATED": "yellow", "PAID": "green", "LATE": "red"},
    "severity": {"urgent": "red", "normal": "yellow", "info": "blue"},
}  # fmt: skip
"""Of the badge of a state; what is not named is grey. Red is for what needs a person."""
