"""What a new book of automations, of after-sales forms or of rule tables makes looser, in words, Chinese and English.

An automation that holds orders, or has somebody asked, is a control like a limit: who approves that it ends reads so.
"""

from collections.abc import Iterator

from domain.approvals import Role
from domain.automation.acts import HoldAct
from domain.automation.model import ApprovalAct, Automation, AutomationBook
from domain.returns.forms import FormBook, FormRule
from domain.rules.changes import RowChange

MOST_TOLD = 20
GIVING = {"return_policy": ("退货政策", "the return policy"), "freight_back": ("退运费", "freight given back")}
"""Tables that say what a buyer gets. Who may decide about it is told case by case (`domain/rules/route_checks.py`)."""


def looser_automations(before: AutomationBook, after: AutomationBook) -> tuple[str, ...]:
    """One line each that keeps orders now and will not, or not the same ones."""
    return _some(
        f"{one.id} {zh}：{_kept_zh(one)} / {one.id} {en}: {_kept(one)}"
        for one in before.automations
        for zh, en in _ends(one, after.find(one.id))
    )


def asks_finance_no_longer(before: AutomationBook, after: AutomationBook) -> bool:
    """Or about other orders than now: finance is to know of it."""
    return any(
        isinstance(one.do, ApprovalAct) and one.do.role is Role.FINANCE and [*_ends(one, after.find(one.id))]
        for one in before.automations
    )


def stopped_with(book: AutomationBook) -> tuple[str, ...]:
    """What keeps orders no more once all automations are stopped."""
    return looser_automations(book, AutomationBook())


def _ends(one: Automation, then: Automation | None) -> Iterator[tuple[str, str]]:
    if not one.enabled or not isinstance(one.do, HoldAct | ApprovalAct):
        return
    if then is None or not then.enabled:
        yield "不再生效", "ends"
    elif then.content_hash != one.content_hash:
        yield "已改变，原做法不再生效", "is another one, and as it was it ends"


def _kept(one: Automation) -> str:
    said = f"asks {one.do.role}" if isinstance(one.do, ApprovalAct) else "holds"
    return f"{said} on {one.on.trigger} if {one.condition or 'always'}"


def _kept_zh(one: Automation) -> str:
    said = f"须 {one.do.role} 审批" if isinstance(one.do, ApprovalAct) else "暂停发货"
    return f"{one.on.trigger} 且 {one.condition or '任何订单'} 时{said}"


def looser_forms(before: FormBook, after: FormBook) -> tuple[str, ...]:
    """One line a rule that asks for less than now, or lets more be applied for."""
    then = {rule.id: rule for rule in after.rules}
    return _some(line for rule in before.rules for line in _of_rule(rule, then.get(rule.id)))


def _of_rule(rule: FormRule, then: FormRule | None) -> Iterator[str]:
    if then is None:
        yield f"取消规则 {rule.id}（{rule.name.zh}） / the rule {rule.id} ({rule.name.en}) ends"
        return
    if (rule.goods, rule.types, rule.pictures_for) != (then.goods, then.types, then.pictures_for):
        yield f"{rule.id} 适用范围改变 / {rule.id} is for other goods, types or reasons than now"
    if then.pictures < rule.pictures:
        yield (
            f"{rule.id} 凭证图片 {rule.pictures} → {then.pictures} / "
            f"{rule.id} asks for fewer pictures, {rule.pictures} → {then.pictures}"
        )
    if then.without_reason and not rule.without_reason:
        yield f"{rule.id} 允许无理由退货 / {rule.id} takes goods back without a defect"
    more = _more_reasons(rule, then)
    if more:
        yield f"{rule.id} 新增可选原因 {more} / {rule.id} takes more reasons: {more}"
    gone = sorted(_required(rule) - _required(then))
    if gone:
        fields = ", ".join(gone)
        yield f"{rule.id} 不再必填 {fields} / {rule.id} no longer asks for {fields}"


def _more_reasons(rule: FormRule, then: FormRule) -> str:
    if rule.reasons is None:
        return ""
    if then.reasons is None:
        return "*"
    return ", ".join(sorted(set(map(str, then.reasons)) - set(map(str, rule.reasons))))


def _required(rule: FormRule) -> set[str]:
    return {one.id for one in rule.fields if one.required}


def perhaps_looser(changed: tuple[RowChange, ...]) -> tuple[str, ...]:
    """Of the tables that say what a buyer gets every change is told: what a condition lets through nobody computes."""
    return _some(
        f"{GIVING[one.table][0]}可能放宽 / {GIVING[one.table][1]} is another one, perhaps looser: {one}"[:300]
        for one in changed
        if one.table in GIVING
    )


def _some(lines: Iterator[str]) -> tuple[str, ...]:
    found = list(lines)
    more = [f"… 另有 {len(found) - MOST_TOLD} 项 / and {len(found) - MOST_TOLD} more"] if len(found) > MOST_TOLD else []
    return tuple(found[:MOST_TOLD] + more)
