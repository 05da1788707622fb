"""What a new policy makes looser, in words, Chinese and English: for whoever approves it.

Every setting has a row in `LEVERS` or is of `NEUTRAL`; a test compares them with the policy's.
"""

from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from datetime import timedelta
from typing import Any, Literal, get_args

from domain.notices import age_of
from domain.policy import FreightBack, Policy, changes

Looser = Literal["more", "less", "off", "any"]
Unit = Literal["s", "days", "fen", "bp", "n", "word", "by_name"]


@dataclass(frozen=True)
class Lever:
    """`looser`: which direction lets more through, or lets people hear of it later. `any`: every change is told."""

    zh: str
    en: str
    looser: Looser
    unit: Unit = "s"


LEVERS: Mapping[str, Lever] = {
    "small_refund_max_minor": Lever("主管一人审批的退款上限", "refunds that the supervisor decides", "more", "fen"),
    "cumulative_refunds": Lever("同单退款累计比较", "the refunds of an order are added up", "off", "word"),
    "stop_before_asking": Lever("申请时先拦截货物", "goods are stopped when a case is applied for", "off", "word"),
    "freight_back": Lever("退货退运费", "freight given back", "more", "word"),
    "no_reason_days": Lever("无理由退货期限", "time to apply for a return", "more", "days"),
    "quality_exchange_days": Lever("质量换货期限", "time to apply for an exchange", "more", "days"),
    "window_s": Lever("售后窗口", "after-sales window", "more"),
    "max_applications": Lever("每件商品的申请次数", "cases that an item may have", "more", "n"),
    "send_back_s": Lever("寄回期限", "time to send goods back", "more"),
    "receive_s": Lever("收货超时", "goods on their way back are asked about after", "more"),
    "unknown_waybill_s": Lever("查无运单超时", "an unknown waybill is asked about after", "more"),
    "approval_reminder_s": Lever("审批提醒", "an undecided approval is reminded of after", "more"),
    "approval_escalation_s": Lever("审批升级", "an undecided approval is escalated after", "more"),
    "review_reminder_s": Lever("售后审核提醒", "an undecided case is reminded of after", "more"),
    "review_escalation_s": Lever("售后审核升级", "an undecided case is escalated after", "more"),
    "refund_query_s": Lever("退款查询", "a silent refund is asked for after", "more"),
    "refund_ticket_after_s": Lever("退款未决工单", "a refund without an end is a ticket after", "more"),
    "cancel_wait_s": Lever("拦截等待", "an interception without an answer is a ticket after", "more"),
    "parked_ticket_after_s": Lever("滞留消息工单", "a parked message is a ticket after", "more"),
    "dispatch_s": Lever("承诺发货时限", "orders are promised to leave within", "more"),
    "dispatch_by_channel": Lever("各渠道承诺发货时限", "orders of a channel are promised to leave", "any", "by_name"),
    "dispatch_warning_s": Lever("发货临期提醒", "what has not left is warned of so long before", "less"),
    "supplier_answer_s": Lever("供应商回复超时", "a silent supplier is asked about after", "more"),
    "clock_skew_s": Lever("可信的时钟误差", "times ahead of ours that are believed", "more"),
    "late_payment_watch_s": Lever("迟到付款监听", "late payments are listened for", "less"),
    "callback_alert_below_bp": Lever("回调成功率告警线", "callbacks are alarmed of below", "less", "bp"),
    "callback_alert_after": Lever("连续告警次数", "spans of five minutes until the alarm", "more", "n"),
    "retention": Lever("保留天数", "days that messages are kept", "any", "word"),
    "escalation": Lever("工单升级", "how tickets grow louder", "any", "word"),
    "risk": Lever("退货风险积分", "what is looked at before it leaves", "any", "word"),
    "logistics": Lever("接受的物流类型", "logistics classes that are taken", "any", "word"),
    "warehouses": Lever("接受的仓库", "warehouses that are taken", "any", "word"),
    "currencies": Lever("接受的币种", "currencies that are taken", "any", "word"),
}
NEUTRAL = frozenset({
    "version", "payment_timeout_s", "flash_payment_timeout_s", "receipt_s", "retry_backoff_s", "refund_spacing_s",
    "carrier_system", "split_priority",
})  # fmt: skip
_FREIGHT = {"none": 0, "none_if_buyer_fault": 1, "proportional": 2}
assert set(_FREIGHT) == set(get_args(FreightBack))


def looser_policy(before: Policy, after: Policy) -> tuple[str, ...]:
    """One line a setting that becomes looser; empty: none does."""
    return tuple(_lines(changes(before, after)))


def _lines(changed: Mapping[str, tuple[Any, Any]]) -> Iterator[str]:
    for name, (was, now) in changed.items():
        lever = LEVERS.get(name)
        if lever is not None and _is_looser(lever, name, was, now):
            yield _words(lever, name, was, now)


def _is_looser(lever: Lever, name: str, was: Any, now: Any) -> bool:
    if lever.looser == "any":
        return True
    if lever.looser == "off":
        return bool(was) and not now
    if name == "freight_back":
        was, now = _FREIGHT[was], _FREIGHT[now]
    return bool(now > was if lever.looser == "more" else now < was)


def _words(lever: Lever, name: str, was: Any, now: Any) -> str:
    before, after = (_value(lever, value) for value in (was, now))
    if lever.looser == "off":
        return f"关闭：{lever.zh}（{name}） / switched off: {lever.en} ({name})"
    return f"放宽：{lever.zh} {before} → {after}（{name}） / looser: {lever.en} {before} → {after} ({name})"


def _value(lever: Lever, value: Any) -> str:
    match lever.unit:
        case "fen":
            return f"{value // 100:,}.{value % 100:02}"
        case "s":
            return age_of(timedelta(seconds=value))
        case "days":
            return f"{value}d"
        case "by_name":
            return ", ".join(f"{name} {age_of(timedelta(seconds=s))}" for name, s in sorted(value.items())) or "–"
        case "bp":
            return f"{value // 100}.{value % 100:02} %"
        case _:
            return str(value)
