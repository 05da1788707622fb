"""What every figure of the health report means (R64-R69, R19, R21): page, export, API and test quote this file.

A month is Shanghai's. Every figure stands beside its coverage (R89): what lacked the fact that it needs is left out,
and counted.
"""

from collections.abc import Mapping
from dataclasses import dataclass
from enum import StrEnum
from typing import NamedTuple


class Wording(NamedTuple):
    """The same in both languages of the people who read it."""

    zh: str
    en: str


class Unit(StrEnum):
    """What a figure's integer counts."""

    BP = "bp"
    """1/10,000 of a whole, rounded half up."""
    PPM = "ppm"
    """1/1,000,000."""
    MINUTES = "minutes"
    SCORE_X10 = "score_x10"
    """Tenths of a point, of 100."""
    PER_1000_X10 = "per_1000_x10"
    """Tenths, of 1,000 orders."""


class MonthRule(StrEnum):
    """Which month something belongs to."""

    PLACED = "placed"
    """That of its order's placing."""
    HAPPENED = "happened"
    """That in which its source says that it happened."""
    PAID = "paid"
    SIGNED = "signed"
    """That in which the last parcel of its order was signed for."""
    ENDED = "ended"
    OFFERED = "offered"
    OPENED = "opened"
    PAID_BACK = "paid_back"


MONTH_RULES: Mapping[MonthRule, Wording] = {
    MonthRule.PLACED: Wording(
        "按下单月份",
        "month of placing",
    ),
    MonthRule.HAPPENED: Wording(
        "按事件发生月份",
        "month in which it happened",
    ),
    MonthRule.PAID: Wording(
        "按付款月份",
        "month of payment",
    ),
    MonthRule.SIGNED: Wording(
        "按最后一个包裹签收月份",
        "month in which the last parcel was signed for",
    ),
    MonthRule.ENDED: Wording(
        "按售后结案月份",
        "month in which the return ended",
    ),
    MonthRule.OFFERED: Wording(
        "按推送月份",
        "month in which it was offered",
    ),
    MonthRule.OPENED: Wording(
        "按异常出现月份",
        "month in which the anomaly appeared",
    ),
    MonthRule.PAID_BACK: Wording(
        "按退款到账月份",
        "month in which the refund succeeded",
    ),
}


@dataclass(frozen=True)
class Measure:
    """`target`: in the unit; None: none is set. `at_least`: reaching it is good, otherwise staying within it."""

    key: str
    name: Wording
    unit: Unit
    month: MonthRule
    formula: Wording
    left_out: Wording
    target: int | None = None
    at_least: bool = True

    def met(self, value: int | None) -> bool | None:
        """None: no target, or no value."""
        if self.target is None or value is None:
            return None
        return value >= self.target if self.at_least else value <= self.target


_ALL = Wording("无", "nothing")
_PAID_ORDERS = Wording("未付款、发货前已取消的订单", "orders that were not paid, or cancelled before anything left")

# fmt: off
MEASURES: tuple[Measure, ...] = (
    Measure(
        "sync_accuracy_bp", Wording("状态同步准确率", "Synchronisation accuracy"), Unit.BP, MonthRule.HAPPENED,
        formula=Wording(
            "300 秒内入账的状态变更 ÷ 来源的全部状态变更",
            "transitions in our books within 300 s ÷ transitions of the sources",
        ),
        left_out=Wording(
            "与订单不符、已转工单的消息；没有做过对账的日子单独列出",
            "messages that did not fit and have their ticket; days that nobody has reconciled are named beside",
        ),
        target=9950,
    ),
    Measure(
        "payment_delay_ppm", Wording("付款同步延迟率", "Payments known late"), Unit.PPM, MonthRule.PAID,
        formula=Wording(
            "付款后超过 300 秒才入账的付款 ÷ 全部付款",
            "payments booked more than 300 s after the buyer paid ÷ payments",
        ),
        left_out=_ALL,
        target=2000, at_least=False,
    ),
    Measure(
        "fulfilment_minutes", Wording("平均履约时效", "Fulfilment time"), Unit.MINUTES, MonthRule.SIGNED,
        formula=Wording(
            "下单到最后一个包裹签收的平均分钟数（另列中位数、九成值，按城市等级）",
            "mean minutes from placing to the last signature (median and 90 % beside it, by tier of city)",
        ),
        left_out=Wording(
            "没有签收时间的订单；城市未知的只进总数",
            "orders without a time of signature; of an unknown city: in the total only",
        ),
    ),
    Measure(
        "dispatch_on_time_bp", Wording("按时发货率", "Dispatched on time"), Unit.BP, MonthRule.PLACED,
        formula=Wording(
            "在承诺时间内全部发出的订单 ÷ 有承诺时间的订单",
            "orders that left in whole within the promised time ÷ orders with a promise that is due",
        ),
        left_out=Wording(
            "没有付款时间的订单；承诺时间未到的订单",
            "orders without a time of payment; those whose promise is not due yet",
        ),
    ),
    Measure(
        "split_rate_bp", Wording("拆单率", "Split rate"), Unit.BP, MonthRule.PLACED,
        formula=Wording("拆成两个以上子单的订单 ÷ 已付款订单", "orders of two parcels or more ÷ paid orders"),
        left_out=_PAID_ORDERS,
    ),
    Measure(
        "split_reasonable_score_x10", Wording("拆单合理性评分", "Reasonableness of splits"),
        Unit.SCORE_X10, MonthRule.PLACED,
        formula=Wording(
            "100 ×（1 − 不合理拆单 ÷ 拆单）；不合理：人工合并或重拆过，或同仓同承运商 24 小时内分开发出而无报关、"
            "温层原因",
            "100 × (1 − unreasonable ÷ split); unreasonable: merged or split again by hand, or the same warehouse "
            "and carrier within 24 h without a reason of customs or temperature",
        ),
        left_out=Wording("没有拆单的订单", "orders that were not split"),
    ),
    Measure(
        "after_sales_rate_bp", Wording("售后占比", "Orders with a return"), Unit.BP, MonthRule.PLACED,
        formula=Wording("有售后单的订单 ÷ 已付款订单", "orders with a return ÷ paid orders"),
        left_out=_PAID_ORDERS,
    ),
    Measure(
        "closure_bp", Wording("售后关闭原因分布", "How returns ended"), Unit.BP, MonthRule.ENDED,
        formula=Wording("每种关闭原因的售后单 ÷ 已关闭售后单", "returns that ended so ÷ returns that ended"),
        left_out=Wording("未关闭的售后单", "returns that go on"),
    ),
    Measure(
        "refund_minutes", Wording("平均退款周期", "Refund cycle"), Unit.MINUTES, MonthRule.PAID_BACK,
        formula=Wording(
            "申请到退款到账的平均分钟数（另列中位数、九成值）",
            "mean minutes from applying to the refund's success (median and 90 % beside it)",
        ),
        left_out=Wording("没有售后单的退款（如超时付款退回）", "refunds without a return, such as of late payments"),
    ),
    Measure(
        "manual_rate_bp", Wording("异常人工干预比例", "Anomalies settled by hand"), Unit.BP, MonthRule.OPENED,
        formula=Wording("有人工处理的异常 ÷ 全部异常", "anomalies that a person dealt with ÷ anomalies"),
        left_out=Wording("不属于任何订单的工单", "tickets that belong to no order"),
    ),
    Measure(
        "manual_orders_bp", Wording("订单人工干预比例", "Orders settled by hand"), Unit.BP, MonthRule.PLACED,
        formula=Wording(
            "有异常被人工处理的订单 ÷ 已付款订单",
            "orders with an anomaly that a person dealt with ÷ paid orders",
        ),
        left_out=_PAID_ORDERS,
    ),
    Measure(
        "perfect_bp", Wording("完美订单率", "Perfect orders"), Unit.BP, MonthRule.PLACED,
        formula=Wording(
            "按时发出、全部签收、无售后、无异常的订单 ÷ 已有结果的订单",
            "dispatched on time, signed for in whole, no return, no anomaly ÷ orders whose outcome is known",
        ),
        left_out=Wording("尚未全部签收且无售后、无异常的订单", "orders still on their way with nothing against them"),
    ),
    Measure(
        "fits_bp", Wording("状态复核一致率", "Second opinion on status"), Unit.BP, MonthRule.PLACED,
        formula=Wording(
            "按状态表重放事实后一致、或有差异且已有工单的订单 ÷ 有事实可重放的订单",
            "orders whose facts, told again to the transition tables, lead to the stored status, or whose "
            "difference has its ticket ÷ orders with facts",
        ),
        left_out=Wording("没有任何事实的订单", "orders without a fact"),
        target=10000,
    ),
    Measure(
        "offers_taken_bp", Wording("以换代修接受率", "Offers of a replacement taken"), Unit.BP, MonthRule.OFFERED,
        formula=Wording(
            "申请了保修换新的商品件数 ÷ 已有答复或已到期的推送件数（另列接受、拒绝、未答复）",
            "units that a replacement under warranty was applied for ÷ units offered one whose buyers have answered or "
            "whose time is over (taken, refused, unanswered beside it)",
        ),
        left_out=Wording("未答复且未到期的推送", "offers without an answer whose time goes on"),
    ),
    Measure(
        "offer_refunds_bp", Wording("推送后退款率", "Refunded after an offer"), Unit.BP, MonthRule.OFFERED,
        formula=Wording(
            "推送后退款的商品件数 ÷ 推送件数；另列未推送（买家未同意）的同期保修件数的退款率作对照",
            "units refunded since their offer ÷ units offered; beside it the share of units whose offer fell due in "
            "the same month and whose buyers had not agreed to hear of any",
        ),
        left_out=_ALL,
        at_least=False,
    ),
    Measure(
        "complaints_per_1000_x10", Wording("千单客诉量", "Complaints per 1,000 orders"),
        Unit.PER_1000_X10, MonthRule.PLACED,
        formula=Wording(
            "客诉 ÷ 有客诉来源的渠道的已付款订单 × 1000",
            "complaints ÷ paid orders of channels that tell of complaints × 1,000",
        ),
        left_out=Wording("没有客诉来源的渠道的订单", "orders of channels that tell of no complaints"),
        at_least=False,
    ),
)
# fmt: on
BY_KEY: Mapping[str, Measure] = {measure.key: measure for measure in MEASURES}


class Flag(StrEnum):
    """What is said of one order in a report: behind each number stand the orders with its flag."""

    SYNC_LATE = "sync_late"
    PAYMENT_LATE = "payment_late"
    SIGNED = "signed"
    DISPATCHED_LATE = "dispatched_late"
    SPLIT = "split"
    UNREASONABLE = "unreasonable_split"
    AFTER_SALES = "after_sales"
    RETURN_ENDED = "return_ended"
    PAID_BACK = "paid_back"
    ABNORMAL = "abnormal"
    BY_HAND = "by_hand"
    IMPERFECT = "imperfect"
    DOES_NOT_FIT = "does_not_fit"
    OFFERED = "offered"
    COMPLAINED = "complained"


BEHIND: Mapping[str, Flag] = {
    "sync_accuracy_bp": Flag.SYNC_LATE,
    "payment_delay_ppm": Flag.PAYMENT_LATE,
    "fulfilment_minutes": Flag.SIGNED,
    "dispatch_on_time_bp": Flag.DISPATCHED_LATE,
    "split_rate_bp": Flag.SPLIT,
    "split_reasonable_score_x10": Flag.UNREASONABLE,
    "after_sales_rate_bp": Flag.AFTER_SALES,
    "closure_bp": Flag.RETURN_ENDED,
    "refund_minutes": Flag.PAID_BACK,
    "manual_rate_bp": Flag.ABNORMAL,
    "manual_orders_bp": Flag.BY_HAND,
    "perfect_bp": Flag.IMPERFECT,
    "fits_bp": Flag.DOES_NOT_FIT,
    "offers_taken_bp": Flag.OFFERED,
    "offer_refunds_bp": Flag.OFFERED,
    "complaints_per_1000_x10": Flag.COMPLAINED,
}
"""The orders that one looks at to understand a figure: mostly those that count against it."""
