"""Why an application is refused: a closed list, each reason in the words of the buyer."""

from enum import StrEnum

from domain.returns.models import MAX_EVIDENCE
from domain.strict import Strict


class Code(StrEnum):
    """Why an application is refused. Listed in the order in which they are told; the first one heads the answer."""

    FORBIDDEN = "FORBIDDEN"
    EVIDENCE_REQUIRED = "EVIDENCE_REQUIRED"
    TOO_MUCH_EVIDENCE = "TOO_MUCH_EVIDENCE"
    EVIDENCE_UNKNOWN = "EVIDENCE_UNKNOWN"
    NOT_PAID = "NOT_PAID"
    UNKNOWN_LINE = "UNKNOWN_LINE"
    REASON_DOES_NOT_FIT = "REASON_DOES_NOT_FIT"
    FORM_INCOMPLETE = "FORM_INCOMPLETE"
    NOT_SHIPPED = "NOT_SHIPPED"
    ALREADY_SHIPPED = "ALREADY_SHIPPED"
    QTY_EXCEEDED = "QTY_EXCEEDED"
    NOT_RETURNABLE = "NOT_RETURNABLE"
    WINDOW_OVER = "WINDOW_OVER"
    NO_WARRANTY = "NO_WARRANTY"
    WARRANTY_OVER = "WARRANTY_OVER"
    TOO_MANY_APPLICATIONS = "TOO_MANY_APPLICATIONS"
    LOWERED_BY_BUYER = "LOWERED_BY_BUYER"
    AMOUNT_RAISED = "AMOUNT_RAISED"
    NUMBER_TAKEN = "NUMBER_TAKEN"


class Refusal(Strict):
    code: Code
    line_id: str | None = None
    text_en: str
    text_zh: str


def refusal(code: Code, line_id: str | None = None) -> Refusal:
    en, zh = TEXTS[code]
    place = "" if line_id is None else f"line {line_id}: "
    place_zh = "" if line_id is None else f"商品行 {line_id}："
    return Refusal(code=code, line_id=line_id, text_en=place + en, text_zh=place_zh + zh)


TEXTS: dict[Code, tuple[str, str]] = {
    Code.FORBIDDEN: (
        "only the buyer, or customer service on the buyer's behalf, may apply",
        "仅限订单买家本人，或客服代买家申请",
    ),
    Code.EVIDENCE_REQUIRED: ("at least one picture is wanted as evidence", "请至少上传一张凭证图片"),
    Code.TOO_MUCH_EVIDENCE: (f"at most {MAX_EVIDENCE} pictures are taken", f"凭证图片最多 {MAX_EVIDENCE} 张"),
    Code.EVIDENCE_UNKNOWN: ("a picture was never uploaded for this case; upload it first", "凭证图片未上传，请先上传"),
    Code.NOT_PAID: ("the order has not been paid", "订单未付款"),
    Code.UNKNOWN_LINE: ("the order does not have this line", "订单中没有该商品行"),
    Code.REASON_DOES_NOT_FIT: ("this reason does not go with this kind of case", "售后原因与售后类型不符"),
    Code.FORM_INCOMPLETE: ("the form is not filled in as it has to be", "申请表填写不完整或不正确"),
    Code.NOT_SHIPPED: (
        "the units have not left yet; cancel them before shipping instead",
        "商品尚未发货，请改为未发货取消",
    ),
    Code.ALREADY_SHIPPED: ("the units have left already; ask for a return instead", "商品已发货，请改为退货"),
    Code.QTY_EXCEEDED: (
        "more units than are left: the others are refunded or in another case",
        "申请数量超过可售后数量（其余已退款或处于其他售后单中）",
    ),
    Code.NOT_RETURNABLE: (
        "excluded from returns without a defect, as agreed at purchase",
        "该商品不支持无理由退换（购买时已确认）",
    ),
    Code.WINDOW_OVER: ("the time for it is over", "已超过售后期限"),
    Code.NO_WARRANTY: ("it was sold without a warranty or shelf life", "该商品没有保修期或保质期"),
    Code.WARRANTY_OVER: ("its warranty or shelf life has ended", "该商品已过保修期或保质期"),
    Code.TOO_MANY_APPLICATIONS: ("there have been too many cases about it already", "该商品申请售后次数已达上限"),
    Code.LOWERED_BY_BUYER: ("only staff may lower the amount", "仅客服可以下调退款金额"),
    Code.AMOUNT_RAISED: (
        "the amount is above what was paid for the units; it can only be lowered",
        "退款金额只能下调，不能高于实付金额",
    ),
    Code.NUMBER_TAKEN: (
        "this number is the number of an order; take another one for the return",
        "该编号已是订单号，请为售后单另取编号",
    ),
}
