"""An approval in words: what is asked, and its content line by line."""

from collections.abc import Iterator, Mapping
from typing import Any

from domain.approvals import ApprovalRequest
from starter.cli.text import money

KINDS = {
    "refund_application": "refund, on application 退款初审",
    "refund_payout": "refund, before payout 退款放款",
    "refund_lowered": "refund lowered by staff 退款减额",
    "merge_shipment": "ship together 合并发货",
    "manual_resplit": "split by hand 人工拆分",
    "publish_rules": "publish rules 发布规则",
    "dispute": "dispute 争议处理",
    "state_correction": "state corrected by hand 人工改状态",
    "exchange": "exchange 换货",
    "return_review": "return 退货审核",
    "outside_money": "money from outside 账外资金",
    "money_fact": "what is said of money 人工录入资金结果",
    "cancel_paid": "cancel a paid order 取消已付款订单",
    "change_people": "change of people 人员与角色变更",
    "publish_policy": "publish a policy 发布政策",
    "publish_automations": "publish automations 发布自动化",
    "publish_forms": "publish after-sales forms 发布售后表单",
    "automation": "asked by an automation 自动化提请",
}


def kind_words(kind: str) -> str:
    return KINDS.get(kind, kind)


def explained(request: ApprovalRequest) -> list[tuple[str, str]]:
    """`where  value` rows; amounts as money. What becomes looser is told apart."""
    currency = str(request.content.get("currency", "CNY"))
    return list(_rows("", {name: value for name, value in request.content.items() if name != "looser"}, currency))


def _rows(where: str, value: Any, currency: str) -> Iterator[tuple[str, str]]:
    if isinstance(value, Mapping):
        for key, inner in value.items():
            yield from _rows(f"{where}.{key}" if where else str(key), inner, currency)
    elif isinstance(value, list | tuple) and any(isinstance(inner, Mapping | list) for inner in value):
        for n, inner in enumerate(value, 1):
            yield from _rows(f"{where}[{n}]", inner, currency)
    elif isinstance(value, list | tuple):
        yield where, ", ".join(map(str, value))
    elif where.endswith("_minor") and isinstance(value, int):
        yield where.removesuffix("_minor"), money(value, currency)
    elif value is not None and value != "":
        yield where, str(value)
