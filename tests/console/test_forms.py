"""After-sales forms in the browser: written, looked at in both languages, asked for, and asked of who applies."""

import pytest

from console.pages.forms.reading import rule_of, said_by
from console.text.refusals import RefusedAct
from domain.returns.forms import FormRule
from tests.console.office import ActingDesk
from tests.console.test_automations import approve, page_of

FORM: dict[str, str | list[str]] = {
    "what": "rule", "id": "fresh", "name_zh": "生鲜", "name_en": "Fresh food", "logistics": "cold， frozen",
    "suppliers": "", "skus": "", "sku_begins": "", "types": ["return_refund", "refund_only"], "without_reason": "",
    "pictures": "2",
    "pictures_for": ["damaged"], "text_zh": "请拍照", "text_en": "Take pictures, please",
    "fields": "batch_no | number | required | 批号 | Batch number\n"
    "colour | choice | optional | 颜色 | Colour | 红=red; 蓝=blue",
}  # fmt: skip


def read(**changes: str) -> FormRule | RefusedAct:
    said = {name: value for name, value in (FORM | changes).items() if isinstance(value, str)}
    chosen = {name: value for name, value in FORM.items() if isinstance(value, list)}
    return rule_of(said, chosen)


def test_a_rule_that_is_written_reads_back_as_itself() -> None:
    rule = read()
    assert isinstance(rule, FormRule) and rule.goods.logistics == ("cold", "frozen")
    again = {"types": list(map(str, rule.types)), "pictures_for": list(map(str, rule.pictures_for))}
    assert rule_of(said_by(rule), again) == rule


@pytest.mark.parametrize("fields", ["batch_no", "a | colour | required | 甲 | A", "a | text | required | 甲 | A | x=y"])
def test_a_field_that_says_nothing_is_named(fields: str) -> None:
    found = read(fields=fields)
    assert isinstance(found, RefusedAct) and found.reason


@pytest.mark.asyncio(loop_scope="session")
async def test_a_supervisor_asks_another_decides_and_the_form_asks(acting: ActingDesk) -> None:
    editor = await acting.sign_in("order-ops")
    assert "No rules of your own" in await page_of(editor, "/forms")
    seen = (await editor.post("/forms/look", **FORM)).text
    assert "How it looks to the buyer" in seen and "Batch number" in seen and "批号" in seen and ">blue<" in seen
    wrong = await editor.post("/forms/look", **FORM | {"fields": "x"})
    assert wrong.status_code == 409
    where = await acting.done(await editor.post("/forms/ask", **FORM))
    assert where == "/forms?asked=A-forms-1"
    await approve(acting, "cs-supervisor", "A-forms-1")
    assert "Fresh food" in await page_of(editor, "/forms")
    where = await acting.done(await editor.post("/forms/ask", what="slips", slips="1", prefix="TH", digits="4"))
    await approve(acting, "cs-supervisor", where.partition("asked=")[2])
    assert 'value="TH"' in await page_of(editor, "/forms")
    same = await editor.post("/forms/ask", what="slips", slips="1", prefix="TH", digits="4")
    assert same.status_code == 409
