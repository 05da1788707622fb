"""The closed lists of after-sales: types, reasons, faults, grades, and the states of a case on every axis."""

from enum import StrEnum
from typing import NamedTuple


class ReturnType(StrEnum):
    RETURN_REFUND = "return_refund"
    """退货退款: goods back, then money."""
    REFUND_ONLY = "refund_only"
    """仅退款: no goods come back."""
    EXCHANGE = "exchange"
    """换货: goods back, goods out, no money."""
    CANCEL_UNSHIPPED = "cancel_unshipped"
    """未发货取消: units that have not left yet."""
    WARRANTY_REPLACEMENT = "warranty_replacement"
    """以换代修: replaced within the warranty instead of repaired."""


GOODS_COME_BACK = frozenset({ReturnType.RETURN_REFUND, ReturnType.EXCHANGE, ReturnType.WARRANTY_REPLACEMENT})
"""Types whose units are frozen on approval and inspected on arrival."""
GOODS_GO_OUT = frozenset({ReturnType.EXCHANGE, ReturnType.WARRANTY_REPLACEMENT})
"""Types that end with a replacement instead of money."""
MONEY_GOES_BACK = frozenset({ReturnType.RETURN_REFUND, ReturnType.REFUND_ONLY, ReturnType.CANCEL_UNSHIPPED})


class Fault(StrEnum):
    BUYER = "buyer"
    SELLER = "seller"
    NONE = "none"


class ReasonText(NamedTuple):
    zh: str
    en: str
    quality: bool = False
    """A defect of the goods or of their delivery: opens the longer exchange window and lifts exclusions."""


class Reason(StrEnum):
    NO_REASON = "no_reason"
    DISLIKED = "disliked"
    ORDERED_WRONGLY = "ordered_wrongly"
    SIZE_DOES_NOT_FIT = "size_does_not_fit"
    NOT_AS_DESCRIBED = "not_as_described"
    QUALITY_PROBLEM = "quality_problem"
    DAMAGED = "damaged"
    INCOMPLETE = "incomplete"
    WRONG_ITEM_SENT = "wrong_item_sent"
    COUNTERFEIT = "counterfeit"
    EXPIRED = "expired"
    NOT_RECEIVED = "not_received"
    DELIVERY_REFUSED = "delivery_refused"
    TOO_LATE = "too_late"
    CANCEL_UNSHIPPED = "cancel_unshipped"
    WARRANTY_DEFECT = "warranty_defect"
    AGREED_WITH_SELLER = "agreed_with_seller"
    OTHER = "other"


REASONS: dict[Reason, ReasonText] = {
    Reason.NO_REASON: ReasonText("七天无理由退货", "no reason, within seven days"),
    Reason.DISLIKED: ReasonText("不喜欢/不想要", "not wanted any more"),
    Reason.ORDERED_WRONGLY: ReasonText("拍错/多拍", "ordered the wrong thing, or too many"),
    Reason.SIZE_DOES_NOT_FIT: ReasonText("尺码不合适", "size does not fit"),
    Reason.NOT_AS_DESCRIBED: ReasonText("与描述不符", "not as described", quality=True),
    Reason.QUALITY_PROBLEM: ReasonText("质量问题", "quality problem", quality=True),
    Reason.DAMAGED: ReasonText("商品破损", "arrived damaged", quality=True),
    Reason.INCOMPLETE: ReasonText("少件/漏发", "parts or pieces missing", quality=True),
    Reason.WRONG_ITEM_SENT: ReasonText("卖家发错货", "another item was sent", quality=True),
    Reason.COUNTERFEIT: ReasonText("假冒商品", "counterfeit", quality=True),
    Reason.EXPIRED: ReasonText("临期/过期", "expired or close to it", quality=True),
    Reason.NOT_RECEIVED: ReasonText("未收到货/空包裹", "never arrived, or an empty parcel", quality=True),
    Reason.DELIVERY_REFUSED: ReasonText("拒收", "delivery refused"),
    Reason.TOO_LATE: ReasonText("未按约定时间发货", "sent later than agreed"),
    Reason.CANCEL_UNSHIPPED: ReasonText("未发货取消", "cancelled before shipping"),
    Reason.WARRANTY_DEFECT: ReasonText("保修期内故障", "defect within the warranty", quality=True),
    Reason.AGREED_WITH_SELLER: ReasonText("与卖家协商一致", "agreed with the seller"),
    Reason.OTHER: ReasonText("其他", "other"),
}


class CaseStatus(StrEnum):
    """What all roles see. Goods have axes of their own: `Reception` and `Acceptance`."""

    APPLIED = "APPLIED"
    SUPERVISOR_REVIEW = "SUPERVISOR_REVIEW"
    WAITING_RETURN = "WAITING_RETURN"
    IN_RETURN = "IN_RETURN"
    RECEIVED = "RECEIVED"
    INSPECTED = "INSPECTED"
    FINANCE_REVIEW = "FINANCE_REVIEW"
    REFUNDING = "REFUNDING"
    REFUNDED = "REFUNDED"
    REPLACEMENT_QC = "REPLACEMENT_QC"
    REPLACEMENT_SHIPPED = "REPLACEMENT_SHIPPED"
    EXCHANGED = "EXCHANGED"
    REJECTED = "REJECTED"
    CANCELLED_BY_BUYER = "CANCELLED_BY_BUYER"
    CLOSED_NOT_SENT = "CLOSED_NOT_SENT"
    REFUND_FAILED = "REFUND_FAILED"


ENDS = frozenset(
    {
        CaseStatus.REFUNDED, CaseStatus.EXCHANGED, CaseStatus.REJECTED, CaseStatus.CANCELLED_BY_BUYER,
        CaseStatus.CLOSED_NOT_SENT, CaseStatus.REFUND_FAILED,
    }
)  # fmt: skip
LET_GO = frozenset({CaseStatus.REJECTED, CaseStatus.CANCELLED_BY_BUYER, CaseStatus.CLOSED_NOT_SENT})
"""Ends that give units and money free again."""


class Reception(StrEnum):
    """Where a returned unit is."""

    NOT_EXPECTED = "NOT_EXPECTED"
    """Nothing comes back in this case."""
    AWAITED = "AWAITED"
    IN_TRANSIT = "IN_TRANSIT"
    RECEIVED = "RECEIVED"
    MISSING = "MISSING"
    """The parcel arrived without it."""
    LOST = "LOST"
    """The carrier lost it on the way."""
    CANCELLED = "CANCELLED"
    """It stays with the buyer after all."""


class Acceptance(StrEnum):
    """Whether we agree with what came."""

    PENDING = "PENDING"
    ACCEPTED = "ACCEPTED"
    REJECTED = "REJECTED"
    DISPUTED = "DISPUTED"
    """A supervisor decides."""


class Grade(StrEnum):
    GOOD = "good"
    """完好: sold again."""
    MINOR = "minor"
    """轻微瑕疵: second-hand pool."""
    SCRAP = "scrap"
    """报废: written off."""


class Level(StrEnum):
    """Who has to agree, in this order. Values are role names."""

    SYSTEM = "SYSTEM"
    CS_SUPERVISOR = "CS_SUPERVISOR"
    FINANCE = "FINANCE"


class Risk(StrEnum):
    LOW = "low"
    MEDIUM = "medium"
    HIGH = "high"
