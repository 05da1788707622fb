"""What a person is told when a decision is asked of them: Chinese first, then English; a number and a kind, nothing of
what it is about: messengers and mail are others' machines."""

from collections.abc import Mapping
from datetime import datetime
from urllib.parse import quote

from domain.notices import SHANGHAI

KINDS: Mapping[str, tuple[str, str]] = {
    "refund_application": ("退款申请", "a refund that was applied for"),
    "refund_payout": ("退款付出前复核", "a refund before it is paid"),
    "refund_lowered": ("退款金额下调", "a refund that was lowered"),
    "merge_shipment": ("合并发货", "shipping together"),
    "manual_resplit": ("人工拆单", "a split by hand"),
    "publish_rules": ("发布规则", "rules to publish"),
    "dispute": ("争议", "a dispute"),
    "state_correction": ("人工更正状态", "a state corrected by hand"),
    "exchange": ("换货", "an exchange"),
    "return_review": ("退货", "a return"),
    "outside_money": ("外部款项", "money from outside"),
    "money_fact": ("款项认定", "what is said of money"),
    "cancel_paid": ("取消已付款订单", "a paid order that is cancelled"),
    "change_people": ("人员变更", "a change of people"),
    "forget_buyer": ("删除买家资料", "a buyer to forget"),
    "publish_policy": ("发布策略", "a policy to publish"),
    "publish_automations": ("发布自动化", "automations to publish"),
    "publish_forms": ("发布售后表单", "after-sales forms to publish"),
    "automation": ("自动化提请的订单", "an order that an automation asks about"),
}


def notice_title(kind: str) -> str:
    zh, _ = KINDS.get(kind, (kind, kind))
    return f"待您审批：{zh}"


def notice_text(kind: str, approval_id: str, opened_at: datetime) -> str:
    _, en = KINDS.get(kind, (kind, kind))
    at = opened_at.astimezone(SHANGHAI).strftime("%Y-%m-%d %H:%M")
    return f"编号 {approval_id}，{at} 提出\nYour decision is asked for: {en}, {approval_id}"


def by_messenger(console_url: str, approval_id: str) -> str:
    """Opens the question, signed in by the messenger that shows it."""
    return f"{console_url}/sign-in/messenger?next={_page(approval_id)}"


def by_sign_in(console_url: str, approval_id: str) -> str:
    """Opens the question for who is signed in, and lets anybody else sign in first as it is done there."""
    return f"{console_url}/sign-in/on?next={_page(approval_id)}"


def _page(approval_id: str) -> str:
    return quote(f"/approvals/{quote(approval_id, safe='')}", safe="")
