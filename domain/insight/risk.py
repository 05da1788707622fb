"""How likely an order comes back, in points, and whether customer service looks at it before it leaves (R59-R61).

What is scored is known when the order is paid: what became of the order itself is never a feature, and nothing is asked
about who the buyer is. A trained model (`risk_model.py`) can stand in the place of the table: whoever asks sees a
`RiskScore` only.
"""

from datetime import timedelta
from enum import StrEnum
from typing import Annotated, Self

from pydantic import Field, model_validator

from domain.order import MOST_OTHER, Id, OtherFacts, StartOrder, Text
from domain.strict import Strict

HISTORY = timedelta(days=90)
"""So long before payment a buyer's cases count."""
LONGEST_HOLD_S = 30 * 60
"""A reminder, no block: the order goes by itself."""
MOST = 10**9
Count = Annotated[int, Field(ge=0, le=MOST)]
Points = Annotated[int, Field(ge=0, le=10_000)]


class RiskFeature(StrEnum):
    """What the table gives points for: fields of `RiskFeatures` and of `RiskTable`."""

    SIZE_EXCHANGES = "size_exchange_90d"
    RETURNS = "returns_90d"
    SEVERAL_SIZES = "multi_size_same_spu"


class BuyerHistory(Strict):
    """Cases about a buyer's other orders within `HISTORY` before this one was paid. Those in which the seller was at
    fault, that were refused, withdrawn or never sent back are not counted."""

    size_exchange_90d: Count = 0
    """Exchanged for another size."""
    returns_90d: Count = 0
    """Sent back for money."""
    orders_90d: Count = 0
    """Other orders: many cases among many orders say less."""


class OrderTraits(Strict):
    """What the order itself shows when it is paid."""

    multi_size_same_spu: Count = 0
    """Articles of which this order has more than one size."""
    units: Count = 0
    lines: Count = 0
    amount_100: Count = 0
    """What was paid, in whole hundreds of its currency."""
    discount_pct: Annotated[int, Field(ge=0, le=100)] = 0
    """Coupons and line discounts, in percent of the goods' price."""
    flash: Annotated[int, Field(ge=0, le=1)] = 0
    """Bought in a flash sale."""
    other: OtherFacts = Field(default_factory=dict)
    """What other systems have said, by their field: counted where the policy maps it (R63)."""


class RiskFeatures(BuyerHistory, OrderTraits):
    """All that a score may be made of. Kept as it was counted when the order was paid: models learn from that."""

    def value(self, feature: str) -> int:
        """0 of what nobody has told."""
        if feature in BUILT_IN:
            return int(getattr(self, feature))
        return self.other.get(feature, 0)


BUILT_IN = frozenset(RiskFeatures.model_fields) - {"other"}
FACTORS: dict[str, tuple[str, str]] = {
    "size_exchange_90d": ("近90天换尺码", "exchanged for another size in 90 days"),
    "returns_90d": ("近90天退货", "sent back in 90 days"),
    "orders_90d": ("近90天订单", "orders in 90 days"),
    "multi_size_same_spu": ("同款多尺码", "articles in several sizes in this order"),
    "units": ("件数", "units"),
    "lines": ("行数", "lines"),
    "amount_100": ("实付(百元)", "hundreds paid"),
    "discount_pct": ("折扣(%)", "percent of discount"),
    "flash": ("秒杀单", "bought in a flash sale"),
}
"""Chinese, English: said with the count behind. Of the features that are counted without any setting."""
PROTECTED = (
    "gender", "sex", "female", "male", "ethnic", "race", "religio", "nation", "birth", "marital", "married", "pregnan",
    "disab", "health", "politic", "age", "性别", "民族", "种族", "宗教", "信仰", "年龄", "生日", "出生", "婚",
    "孕", "残疾", "健康", "疾病", "政治", "党", "籍贯", "户籍",
)  # fmt: skip
"""Words of what nobody is judged by. English ones as the beginning of a word, short ones as a whole one."""


class FeaturePoints(Strict):
    """`each` for one, together at most `cap`."""

    each: Points
    cap: Points

    def of(self, count: int) -> int:
        return min(count * self.each, self.cap)


class MappedField(Strict):
    """A field of another system that counts (R63). `field`: its name in `other_facts` of the order; `zh`, `en`: how
    people read it. Without points only a trained model looks at it."""

    field: Id
    zh: Text
    en: Text
    points: FeaturePoints = FeaturePoints(each=0, cap=0)

    @model_validator(mode="after")
    def _about_no_protected_trait(self) -> Self:
        if self.field in FACTORS:
            raise ValueError(f"{self.field} is counted already")
        for text in (self.field, self.zh, self.en):
            if word := protected_word(text):
                raise ValueError(f"{self.field}: {word!r} is a trait that nobody is judged by")
        return self


def protected_word(text: str) -> str:
    """The first word of `PROTECTED` in it; empty: none."""
    lowered = text.lower()
    words = "".join(c if c.isalpha() else " " for c in lowered).split()
    for word in PROTECTED:
        if not word.isascii():
            found = word in lowered
        else:
            found = any(w == word if len(word) <= 4 else w.startswith(word) for w in words)
        if found:
            return word
    return ""


class RiskFactor(Strict):
    """`zh`, `en`: of a field of another system, which has no other words."""

    feature: Id
    count: Count
    points: Points
    zh: str = ""
    en: str = ""

    @property
    def words(self) -> tuple[str, str]:
        """Chinese, English."""
        return FACTORS.get(self.feature, (self.zh, self.en))


class RiskScore(Strict):
    """`factors`: what gave points, the most first. `model`: version of the trained model that gave them: then points
    are percent, the chance of coming back; None: the table did."""

    score: Annotated[int, Field(ge=0)]
    threshold: Annotated[int, Field(ge=1)]
    factors: tuple[RiskFactor, ...]
    model: Annotated[int, Field(ge=1)] | None = None

    @property
    def is_high(self) -> bool:
        """Somebody is to look at it before it leaves."""
        return self.score >= self.threshold


class RiskTable(Strict):
    """Points by feature. A part of the policy, so each order is judged by the version that it started with."""

    threshold: Annotated[int, Field(ge=1, le=100_000)] = 60
    """From here on. Above what the table can give: nothing is held."""
    hold_s: Annotated[int, Field(ge=60, le=LONGEST_HOLD_S)] = LONGEST_HOLD_S
    size_exchange_90d: FeaturePoints = FeaturePoints(each=15, cap=45)
    returns_90d: FeaturePoints = FeaturePoints(each=10, cap=40)
    multi_size_same_spu: FeaturePoints = FeaturePoints(each=20, cap=20)
    fields: Annotated[tuple[MappedField, ...], Field(max_length=MOST_OTHER)] = ()
    """Of other systems."""
    trained: bool = True
    """A trained model may stand in the place of the table while one is in force."""

    @model_validator(mode="after")
    def _each_field_once(self) -> Self:
        if len({one.field for one in self.fields}) < len(self.fields):
            raise ValueError("a field of another system is mapped twice")
        return self

    def points(self, features: RiskFeatures) -> int:
        """The score alone, for hundred thousands of orders."""
        built_in = sum(getattr(self, feature).of(features.value(feature)) for feature in RiskFeature)
        return int(built_in + sum(f.points.of(features.value(f.field)) for f in self.fields))

    def score(self, features: RiskFeatures) -> RiskScore:
        factors = [_factor(feature, features.value(feature), getattr(self, feature)) for feature in RiskFeature]
        factors += [_factor(f.field, features.value(f.field), f.points, f.zh, f.en) for f in self.fields]
        told = sorted((f for f in factors if f.points), key=lambda f: -f.points)
        return RiskScore(score=self.points(features), threshold=self.threshold, factors=tuple(told))


def _factor(feature: str, count: int, points: FeaturePoints, zh: str = "", en: str = "") -> RiskFactor:
    return RiskFactor(feature=feature, count=count, points=points.of(count), zh=zh, en=en)


def traits_of(order: StartOrder) -> OrderTraits:
    """A line whose article is not named is nobody's other size."""
    sizes: dict[str, set[str]] = {}
    for line in order.lines:
        if line.spu is not None:
            sizes.setdefault(line.spu, set()).add(line.sku)
    gross = sum(line.qty * line.unit_price_minor for line in order.lines)
    off = sum(line.discount_minor for line in order.lines) + sum(coupon.amount_minor for coupon in order.coupons)
    return OrderTraits(
        multi_size_same_spu=sum(len(skus) > 1 for skus in sizes.values()),
        units=min(sum(line.qty for line in order.lines), MOST),
        lines=len(order.lines),
        amount_100=min(order.payable_minor // 10_000, MOST),
        discount_pct=min(100 * off // gross, 100) if gross else 0,
        flash=int(order.kind == "flash"),
        other=order.other_facts,
    )


def features_of(history: BuyerHistory, traits: OrderTraits) -> RiskFeatures:
    return RiskFeatures(**history.model_dump(), **traits.model_dump())


def reason_of(risk: RiskScore) -> str:
    """In English, as reasons of holds are kept; pages say it in their own language."""
    because = "; ".join(f"{f.words[1]}: {f.count} (+{f.points})" for f in risk.factors)
    by = "" if risk.model is None else f" % (model {risk.model})"
    return f"return risk {risk.score}{by}, looked at from {risk.threshold}: {because}"
