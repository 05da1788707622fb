"""An explanation in words, Chinese and English, for the terminal and for pages."""

from domain.fulfilment.alternatives import Rejected
from domain.fulfilment.explanation import Because, Explanation
from domain.fulfilment.splitting import NO_VALUE
from domain.fulfilment.what_if import Change
from domain.rules.decision import NO_RULE

DIMENSIONS = {
    "warehouse": ("仓库", "warehouse"),
    "customs": ("报关方式", "customs mode"),
    "supplier": ("供应商", "supplier"),
    "logistics": ("物流类型", "logistics"),
    "stock": ("库存", "stock"),
    "custom": ("自定义条件", "condition"),
}

Words = tuple[str, str]
"""Chinese, English."""


def reason(because: Because, *, of_draft: bool = False) -> Words:
    """`of_draft`: by tables that are not published, and have no number."""
    zh, en = DIMENSIONS.get(because.dim, (because.dim, because.dim))
    of_zh, of_en = _by(because, of_draft)
    if because.rule_id == NO_RULE:
        return (
            f"{zh} {because.value}(没有规则匹配,按策略的拆单顺序;{of_zh})",
            f"{en} {because.value} (no rule matched: divided in the policy's order; {of_en})",
        )
    if (because.dim, because.value) == ("custom", NO_VALUE):
        return (
            f"没有匹配任何自定义条件,与规则 {because.rule_id} 的商品分开({of_zh})",
            f"no condition matched: apart from the goods of rule {because.rule_id} ({of_en})",
        )
    return (
        f"{zh} {because.value}(规则 {because.rule_id},{of_zh})",
        f"{en} {because.value} (rule {because.rule_id}, {of_en})",
    )


def matched(kept: Explanation, child_no: str) -> tuple[Words, ...]:
    """Which rows about lines have chosen for a child: its group, its warehouse, its carriers; that none did, in words.
    Nothing for a plan that was kept without its children."""
    lines = next((child.lines for child in kept.plan if child.child_no == child_no), None)
    if lines is None:
        return ()
    decided = [line for line in kept.inputs.decision.lines if line.line_id in lines]
    found = (
        ("拆单条件", "condition", {line.group_rule for line in decided}),
        ("优先发货仓", "preferred warehouses", {line.warehouses_rule for line in decided}),
        ("承运商", "carriers", {line.carriers_rule for line in decided}),
    )
    said = [(zh, en, ", ".join(sorted(filter(None, rules)))) for zh, en, rules in found if any(rules)]
    if not said:
        return (
            (
                "没有拆单条件、优先发货仓或承运商的规则匹配:发货仓按商品目录",
                "no row of conditions, preferred warehouses or carriers matched: the catalogue says where it leaves",
            ),
        )
    return tuple((f"{zh}:规则 {rules}", f"{en}: rule {rules}") for zh, en, rules in said)


def _by(because: Because, of_draft: bool) -> Words:
    if of_draft and because.version_of == "rules":
        return "此草稿", "this draft"
    zh, en = ("规则集", "rule set") if because.version_of == "rules" else ("策略", "policy")
    return f"{zh}第 {because.version} 版", f"{en} version {because.version}"


def turned_down(other: Rejected) -> Words:
    """Why another warehouse or carrier was not taken."""
    lines = ", ".join(other.lines)
    what_zh, what_en = ("仓库", "warehouse") if other.what == "warehouse" else ("承运商", "carrier")
    rule = f" ({other.rule_id})" if other.rule_id else ""
    why: Words
    match other.why:
        case "LACKS":
            why = f"缺 {other.amount} 件 {other.sku}", f"lacked {other.amount} units of {other.sku}"
        case "MORE_PARCELS":
            why = f"会多 {other.amount} 个包裹({lines})", f"{other.amount} more parcels ({lines} from there)"
        case "DEARER":
            why = f"贵 {other.amount} 分{rule}", f"dearer by {other.amount} fen{rule}"
        case "NOT_ALLOWED":
            why = f"规则不允许{rule}", f"not allowed by the rule{rule}"
        case "LESS_PREFERRED":
            why = "优先级较低", "as good, but less preferred"
        case "NOT_SEARCHED":
            why = "未全部比较", "not compared: the search was bounded or would have divided a line"
    return f"{what_zh} {other.name}:{why[0]}", f"{what_en} {other.name}: {why[1]}"


def change(one: Change) -> Words:
    """What would have had to be otherwise."""
    match one.kind:
        case "stock":
            return f"{one.value} 再有 {one.units} 件 {one.sku}", f"{one.units} more units of {one.sku} in {one.value}"
        case "warehouse":
            return f"{one.line_id} 可从 {one.value} 发货", f"line {one.line_id} shipped from {one.value}"
        case "condition":
            rule = f" ({one.rule_id})" if one.rule_id else ""
            return f"{one.line_id} 条件分组为 {one.value}{rule}", f"condition group of {one.line_id} {one.value}{rule}"
        case "separation":
            return (
                f"{one.line_id} 的 {one.name} 为 {one.value}({one.rule_id})",
                f"{one.name} of {one.line_id} {one.value} ({one.rule_id})",
            )
        case _:
            zh, en = DIMENSIONS[one.kind]
            return f"{one.line_id} 的{zh}为 {one.value}", f"{en} of {one.line_id} {one.value}"
