"""After-sales forms (R75): what an application has to say, by type and goods; which reasons it may have, how many
pictures it needs; texts in both languages; and the merchant's own numbers for slips. Data in versions.

What takes a right away (reasons, returns without one) follows the form that counted when the order was placed; what is
asked (fields, pictures) follows today's (decision 0073).
"""

from collections.abc import Iterable, Mapping, Sequence
from typing import Annotated, Literal, Self

from pydantic import Field, StringConstraints, model_validator

from domain.order import Sku, Tag, Text
from domain.returns.enums import REASONS, Reason, ReturnType
from domain.returns.models import MAX_EVIDENCE, ApplyReturn
from domain.returns.refusals import Code, Refusal, refusal
from domain.strict import Strict

MOST_RULES = 40
MOST_FIELDS = 12
FieldId = Annotated[str, StringConstraints(pattern=r"^[a-z][a-z0-9_]{0,29}$")]


class Words(Strict):
    """For the buyer, in both languages."""

    zh: Text
    en: Text


class GoodsMatch(Strict):
    """Which lines. Empty: all of them; else one of what is named has to fit."""

    logistics: Annotated[tuple[Tag, ...], Field(max_length=20)] = ()
    suppliers: Annotated[tuple[Tag, ...], Field(max_length=50)] = ()
    skus: Annotated[tuple[Sku, ...], Field(max_length=500)] = ()
    sku_begins: Annotated[tuple[Sku, ...], Field(max_length=50)] = ()

    def are(self, line: "FormLine") -> bool:
        if not (self.logistics or self.suppliers or self.skus or self.sku_begins):
            return True
        begins = any(line.sku.startswith(head) for head in self.sku_begins)
        return begins or line.logistics in self.logistics or line.supplier in self.suppliers or line.sku in self.skus


class FormField(Strict):
    """`choice`: one of `choices`; `number`: a whole one; `text`: up to 200 characters."""

    id: FieldId
    kind: Literal["text", "number", "choice"] = "text"
    label: Words
    required: bool = True
    choices: Annotated[tuple[Words, ...], Field(max_length=20)] = ()
    """The answer is the English words of one."""

    @model_validator(mode="after")
    def _choices(self) -> Self:
        if (self.kind == "choice") != bool(self.choices):
            raise ValueError(f"{self.id}: choices belong to a choice, and to nothing else")
        return self

    def fault(self, answer: str) -> bool:
        if not answer.strip():
            return self.required
        if self.kind == "choice":
            return answer not in {one.en for one in self.choices}
        return self.kind == "number" and not (answer.isascii() and answer.isdigit() and len(answer) <= 12)


class FormRule(Strict):
    """Of certain goods and types (none named: all). `reasons` None: every reason; `without_reason` False: goods come
    back for a defect only."""

    id: FieldId
    name: Words
    goods: GoodsMatch = GoodsMatch()
    types: Annotated[tuple[ReturnType, ...], Field(max_length=len(ReturnType))] = ()
    reasons: Annotated[tuple[Reason, ...], Field(min_length=1, max_length=len(Reason))] | None = None
    without_reason: bool = True
    pictures: Annotated[int, Field(ge=0, le=MAX_EVIDENCE)] = 0
    """So many at least; 0: as many as anywhere."""
    pictures_for: Annotated[tuple[Reason, ...], Field(max_length=len(Reason))] = ()
    """For these reasons alone; none named: for all."""
    fields: Annotated[tuple[FormField, ...], Field(max_length=MOST_FIELDS)] = ()
    text: Words | None = None
    """Shown above the form."""

    def is_for(self, type: ReturnType, line: "FormLine") -> bool:
        return (not self.types or type in self.types) and self.goods.are(line)


class SlipNumbers(Strict):
    """The merchant's own number on each slip: prefix, year and month where wanted, a running number."""

    prefix: Annotated[str, StringConstraints(pattern=r"^[A-Z0-9-]{0,10}$")] = ""
    monthly: bool = True
    digits: Annotated[int, Field(ge=3, le=10)] = 6

    def period(self, month: str) -> str:
        """`month`: 202611. What comes before the running number."""
        return self.prefix + (month if self.monthly else "")

    def number(self, month: str, n: int) -> str:
        return f"{self.period(month)}{n:0{self.digits}d}"


class FormBook(Strict):
    """`version` as given is ignored when it is published."""

    version: Annotated[int, Field(ge=0)] = 0
    rules: Annotated[tuple[FormRule, ...], Field(max_length=MOST_RULES)] = ()
    slips: SlipNumbers | None = None

    @model_validator(mode="after")
    def _once(self) -> Self:
        ids = [rule.id for rule in self.rules]
        if len(set(ids)) != len(ids):
            raise ValueError("two rules have one id")
        return self

    def rules_for(self, type: ReturnType, lines: Iterable["FormLine"]) -> tuple[FormRule, ...]:
        some = tuple(lines)
        return tuple(rule for rule in self.rules if any(rule.is_for(type, line) for line in some))

    def fields_for(self, type: ReturnType, lines: Iterable["FormLine"]) -> tuple[FormField, ...]:
        """Each once, whatever rules ask for it."""
        found: dict[str, FormField] = {}
        for rule in self.rules_for(type, lines):
            for one in rule.fields:
                found.setdefault(one.id, one)
        return tuple(found.values())


class FormLine(Strict):
    """What forms look at of an order's line: as it was when the order was placed."""

    line_id: str
    sku: str
    logistics: str = ""
    supplier: str = ""


def refusals(
    application: ApplyReturn, lines: Mapping[str, FormLine], placed_under: FormBook, now: FormBook
) -> tuple[Refusal, ...]:
    """Everything that speaks against the application, for the lines that it names."""
    named = [lines[line_id] for line_id in application.lines if line_id in lines]
    found: list[Refusal] = []
    for line in named:
        for rule in placed_under.rules:
            if rule.is_for(application.type, line):
                found += _not_for_that(application, rule, line)
    found += _pictures(application, now.rules_for(application.type, named))
    found += _answers(application, now.fields_for(application.type, named))
    return tuple(found)


def _not_for_that(application: ApplyReturn, rule: FormRule, line: FormLine) -> Iterable[Refusal]:
    stays = application.type is not ReturnType.CANCEL_UNSHIPPED
    if not rule.without_reason and stays and not REASONS[application.reason].quality:
        yield _with(refusal(Code.NOT_RETURNABLE, line.line_id), rule.name)
    elif rule.reasons is not None and application.reason not in rule.reasons:
        yield _with(refusal(Code.REASON_DOES_NOT_FIT, line.line_id), rule.name)


def _pictures(application: ApplyReturn, rules: Sequence[FormRule]) -> Iterable[Refusal]:
    wanting = [
        rule for rule in rules if rule.pictures and (not rule.pictures_for or application.reason in rule.pictures_for)
    ]
    most = max(wanting, key=lambda rule: rule.pictures, default=None)
    if most is not None and len(application.evidence) < most.pictures:
        yield _with(refusal(Code.EVIDENCE_REQUIRED), most.name, str(most.pictures))


def _answers(application: ApplyReturn, fields: Sequence[FormField]) -> Iterable[Refusal]:
    asked = {one.id: one for one in fields}
    for one in fields:
        if one.fault(application.answers.get(one.id, "")):
            yield _with(refusal(Code.FORM_INCOMPLETE), one.label)
    for name in application.answers:
        if name not in asked:
            yield _with(refusal(Code.FORM_INCOMPLETE), Words(zh=f"没有 {name} 一栏", en=f"there is no field {name}"))


def _with(refused: Refusal, words: Words, more: str = "") -> Refusal:
    zh, en = (f"（{words.zh}{'：' + more if more else ''}）", f" ({words.en}{': ' + more if more else ''})")
    return refused.model_copy(update={"text_zh": refused.text_zh + zh, "text_en": refused.text_en + en})
