"""What a book of automations, forms or rule tables lets through that it did not is said before anybody approves it."""

from typing import Any

import pytest

from domain.access.loosening_books import (
    asks_finance_no_longer,
    looser_automations,
    looser_forms,
    perhaps_looser,
    stopped_with,
)
from domain.approvals import Role
from domain.automation.acts import HoldAct
from domain.automation.model import ApprovalAct, Automation, AutomationBook, TagAct, Trigger, TriggerMoment
from domain.returns.enums import Reason
from domain.returns.forms import FormBook, FormField, FormRule, GoodsMatch, Words
from domain.rules.changes import RowChange

HELD = Automation(
    id="big-ones", name="big", on=TriggerMoment(trigger=Trigger.PAID), condition="amount_minor > 50000",
    do=HoldAct(reason="somebody looks first"),
)  # fmt: skip
ASKED = HELD.model_copy(update={"id": "very-big", "do": ApprovalAct(role=Role.FINANCE, question="really?")})
TAGGED = HELD.model_copy(update={"id": "tagged", "do": TagAct(tag="big")})
NOW = AutomationBook(automations=(HELD, ASKED, TAGGED))


def book(*some: Automation) -> AutomationBook:
    return AutomationBook(automations=some)


@pytest.mark.parametrize(
    "then",
    [
        book(ASKED, TAGGED),
        book(HELD.model_copy(update={"enabled": False}), ASKED, TAGGED),
        book(HELD.model_copy(update={"condition": "amount_minor > 99999999"}), ASKED, TAGGED),
        book(HELD.model_copy(update={"do": TagAct(tag="big")}), ASKED, TAGGED),
    ],
    ids=["gone", "off", "of fewer", "does less"],
)
def test_a_hold_that_ends_is_told_in_both_languages(then: AutomationBook) -> None:
    (line,) = looser_automations(NOW, then)
    assert "big-ones" in line and "holds on order_paid if amount_minor > 50000" in line and "暂停发货" in line
    assert not asks_finance_no_longer(NOW, then)


def test_that_finance_is_asked_no_more_is_told_and_is_finances_business() -> None:
    then = book(HELD, TAGGED)
    assert ["asks FINANCE" in line for line in looser_automations(NOW, then)] == [True]
    assert asks_finance_no_longer(NOW, then)


def test_what_keeps_orders_as_before_or_never_kept_any_is_not_told() -> None:
    renamed = HELD.model_copy(update={"name": "otherwise called"})
    assert looser_automations(NOW, book(renamed, ASKED)) == ()
    assert looser_automations(book(), NOW) == ()
    assert len(stopped_with(NOW)) == 2


def rule(**changed: Any) -> FormRule:
    fields: dict[str, Any] = {
        "id": "fresh", "name": Words(zh="生鲜", en="Fresh food"), "goods": GoodsMatch(logistics=("cold",)),
        "pictures": 3, "reasons": (Reason.QUALITY_PROBLEM,), "without_reason": False,
        "fields": (FormField(id="batch", label=Words(zh="批号", en="Batch")),),
    }  # fmt: skip
    return FormRule(**(fields | changed))


@pytest.mark.parametrize(
    ("changed", "said"),
    [
        ({"pictures": 0}, "fewer pictures, 3 → 0"),
        ({"without_reason": True}, "without a defect"),
        ({"reasons": None}, "more reasons: *"),
        ({"reasons": (Reason.QUALITY_PROBLEM, Reason.NO_REASON)}, f"more reasons: {Reason.NO_REASON}"),
        ({"fields": ()}, "no longer asks for batch"),
        ({"goods": GoodsMatch(skus=("ONE",))}, "other goods"),
    ],
)
def test_a_form_that_asks_for_less_is_told(changed: dict[str, Any], said: str) -> None:
    (line,) = looser_forms(FormBook(rules=(rule(),)), FormBook(rules=(rule(**changed),)))
    assert said in line and "fresh" in line


def test_a_rule_that_ends_is_told_and_a_stricter_one_is_not() -> None:
    now = FormBook(rules=(rule(),))
    (line,) = looser_forms(now, FormBook())
    assert "Fresh food" in line and "生鲜" in line
    assert looser_forms(now, FormBook(rules=(rule(pictures=9), rule(id="more")))) == ()


def test_every_change_of_what_a_buyer_gets_is_told_and_of_no_other_table() -> None:
    def row(table: str) -> RowChange:
        return RowChange(table=table, row="r1", what="changed", before="always → days 7", after="always → days 99")

    told = perhaps_looser((row("return_policy"), row("freight_back"), row("carriers")))
    assert len(told) == 2 and "days 7 → always → days 99" in told[0] and "退货政策" in told[0]
