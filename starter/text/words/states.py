"""States of the books in words. English here; the Chinese stands in the catalogue."""

from collections.abc import Callable, Mapping

from starter.text.marking import N_
from starter.text.words.after_sales import AFTER_SALES, AFTER_SALES_COLOURS
from starter.text.words.audit import AUDIT_WORDS
from starter.text.words.automation import AUTOMATION_WORDS
from starter.text.words.callback import CALLBACK_COLOURS, CALLBACK_WORDS
from starter.text.words.decision import DECISION_WORDS
from starter.text.words.goods import GOODS_COLOURS, GOODS_WORDS
from starter.text.words.imports import IMPORT_COLOURS, IMPORT_WORDS
from starter.text.words.report import REPORT_WORDS
from starter.text.words.rule import RULE_COLOURS, RULE_WORDS
from starter.text.words.ticket import TICKET_WORDS

STATES: Mapping[str, Mapping[str, str]] = {
    **TICKET_WORDS,
    **CALLBACK_WORDS,
    **GOODS_WORDS,
    **REPORT_WORDS,
    **IMPORT_WORDS,
    **AUDIT_WORDS,
    **RULE_WORDS,
    **AUTOMATION_WORDS,
    "order": {
        "PENDING_PAYMENT": N_("To be paid"),
        "AWAITING_SHIPMENT": N_("To be shipped"),
        "PARTIALLY_SHIPPED": N_("Partly shipped"),
        "SHIPPED": N_("Shipped"),
        "DELIVERED": N_("Delivered"),
        "COMPLETED": N_("Completed"),
        "CLOSED": N_("Closed"),
        "PLACED": N_("Placed"),
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
    "hold": {
        "risk": N_("Risk"),
        "address": N_("Address"),
        "message": N_("Message of the buyer"),
        "customs": N_("Customs"),
        "stock_check": N_("Stock check"),
        "dispute": N_("Dispute"),
        "other": N_("Other"),
    },
    "kept_by": {
        "hold": N_("A hold"),
        "stock": N_("Missing goods"),
        "ticket": N_("An open ticket"),
        "warehouse": N_("The warehouse"),
    },
    "hold_end": {
        "released": N_("Released"),
        "cause": N_("Ended by itself"),
        "too_late": N_("Came too late"),
        "nothing_left": N_("Nothing left to hold"),
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
    "field": {
        "recipient": N_("Recipient"),
        "phone": N_("Phone"),
        "province": N_("Province"),
        "city": N_("City"),
        "district": N_("District"),
        "street": N_("Street"),
        "postcode": N_("Postcode"),
        "remark": N_("Why"),
        "reason": N_("Why"),
        "kind": N_("What it is about"),
        "child_no": N_("Parcel"),
        "ends_after_s": N_("Ends by itself"),
        "hold_id": N_("Hold"),
    },
    "event": {
        "PAYMENT_SUCCEEDED": N_("Paid"),
        "PAYMENT_CLOSED": N_("Payment closed"),
        "REFUND_SUCCEEDED": N_("Paid back"),
        "REFUND_ABNORMAL": N_("Stuck at the channel"),
        "REFUND_CLOSED": N_("Refund closed"),
        "CHARGEBACK_OPENED": N_("Chargeback opened"),
        "CHARGEBACK_WON": N_("Chargeback won"),
        "CHARGEBACK_LOST": N_("Chargeback lost"),
        "STOCK_ARRIVED": N_("Stock arrived"),
        "WMS_ACCEPTED": N_("The warehouse took it"),
        "WMS_REJECTED": N_("The warehouse refused it"),
        "PICKING": N_("Being picked"),
        "PACKED": N_("Packed"),
        "SHORT_PICKED": N_("Not all was there"),
        "WAYBILL_RETURNED": N_("Left the warehouse"),
        "INTERCEPTED": N_("Stopped by the warehouse"),
        "INTERCEPT_REFUSED": N_("Too late to stop"),
        "COLLECTED": N_("Collected by the courier"),
        "IN_TRANSIT": N_("On its way"),
        "OUT_FOR_DELIVERY": N_("Out for delivery"),
        "SIGNED": N_("Signed for"),
        "COURIER_EXCEPTION": N_("Trouble at the courier"),
        "DELIVERY_REFUSED": N_("Refused at the door"),
        "RETURNED_TO_SENDER": N_("Returned to the sender"),
        "CUSTOMS_RELEASED": N_("Released by customs"),
        "CUSTOMS_REFUSED": N_("Refused by customs"),
        "BUYER_ADDRESS": N_("The buyer wants another address"),
        "BUYER_REMARK": N_("Message of the buyer"),
        "BUYER_REFUND": N_("The buyer asks for the money back"),
    },
    "payout turn": {
        "decides": N_("Not decided yet"),
        "person": N_("A person has to look"),
        "bank": N_("The bank decides the dispute"),
        "channel": N_("The channel pays it out"),
        "system": N_("Being sent"),
    },
    "severity": {
        "urgent": N_("Urgent"),
        "normal": N_("Normal"),
        "info": N_("For information"),
    },
    **AFTER_SALES,
    **DECISION_WORDS,
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
    **CALLBACK_COLOURS,
    **GOODS_COLOURS,
    **IMPORT_COLOURS,
    **RULE_COLOURS,
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
    "payout turn": {"decides": "yellow", "person": "red", "bank": "orange", "channel": "blue"},
    "severity": {"urgent": "red", "normal": "yellow", "info": "blue"},
    **AFTER_SALES_COLOURS,
}  # fmt: skip
"""Of the badge of a state; what is not named is grey. Red is for what needs a person."""


def waiting(text: str, say: Callable[[str], str]) -> str:
    """What an order or a case waits for, in Chinese. Parts that have no words (numbers, names) stay as they are."""
    return "；".join(_waiting(part, say) for part in text.split("; ")) if text else ""


def _waiting(part: str, say: Callable[[str], str]) -> str:
    for beginning, words in WAITS.items():
        if part.startswith(beginning):
            return say(words) + part.removeprefix(beginning)
    return part
