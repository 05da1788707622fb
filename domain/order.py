"""The order as it comes in: the one start message of the order workflow (contract: docs/contract/)."""

import re
from collections.abc import Callable
from datetime import date, datetime, timedelta
from typing import Annotated, Literal, Self

from pydantic import AfterValidator, AwareDatetime, BeforeValidator, Field, StringConstraints, model_validator

from domain.reading.cleaning import clean_code, clean_phone, clean_text
from domain.strict import Strict

# No control characters, bidi overrides or zero-width characters but joiners: names travel into labels, logs and pages.
_CLEAN = r"^[^\u0000-\u001f\u007f-\u009f\u200b\u200e\u200f\u202a-\u202e\u2060-\u2069\ufeff]*$"

_IDENTITY_NUMBER = re.compile(r"[0-9]{15}|[0-9]{17}[0-9Xx]")
"""Of a citizen of China, old and new form."""

COLD = ("cold", "cold_chain", "cold-chain", "cold chain")
"""One thing under several names."""
OrderNo = Annotated[str, StringConstraints(pattern=r"^[A-Za-z0-9][A-Za-z0-9_-]{5,25}$")]
"""6 to 26 characters, so that `{order_no}-NN` and refund numbers fit WeChat's 32."""
Id = Annotated[str, StringConstraints(pattern=r"^[A-Za-z0-9][A-Za-z0-9._:/-]{0,63}$")]
ChannelOrderNo = Annotated[str, StringConstraints(pattern=r"^[A-Za-z0-9][A-Za-z0-9._:/-]{0,63}$")]
Text = Annotated[str, StringConstraints(min_length=1, max_length=200, pattern=_CLEAN)]


def _cleaned(clean: Callable[[str], str]) -> BeforeValidator:
    """What is no text is left to pydantic to refuse."""
    return BeforeValidator(lambda value: clean(value) if isinstance(value, str) else value)


# The cleaning stands last: it runs first, and the constraints stay those of a plain text, in the JSON Schemas too.
Wording = Annotated[str, StringConstraints(min_length=1, max_length=400, pattern=_CLEAN), _cleaned(clean_text)]
"""What people have typed, as names and streets: cleaned when it is read (`domain.reading.cleaning`)."""
Phone = Annotated[
    str,
    StringConstraints(pattern=r"^[+(]?[0-9*][0-9*() -]{2,24}( ?(转|,|;|#|x|[Ee]xt\.?) ?[0-9*]{1,8})?$"),
    _cleaned(clean_phone),
]
"""Also masked (`138****0000`), and with an extension (`…转1234`), as marketplaces hand numbers over."""
_LETTERS = r"A-Za-z0-9\u00c0-\u024f\u3040-\u30ff\u3400-\u4dbf\u4e00-\u9fff\uac00-\ud7af"
Sku = Annotated[str, StringConstraints(pattern=rf"^[{_LETTERS}][{_LETTERS}._:/-]{{0,63}}$"), _cleaned(clean_code)]
"""An article's code. Shops in China have Chinese ones."""
Tag = Annotated[str, StringConstraints(pattern=r"^[A-Za-z0-9][A-Za-z0-9._ -]{0,39}$")]
Logistics = Annotated[Tag, BeforeValidator(lambda value: "cold" if value in COLD else value)]
"""How goods have to travel: ambient, cold, frozen, or a class of the shop's own that its policy names."""
Currency = Annotated[str, StringConstraints(pattern=r"^[A-Z]{3}$")]
Minor = Annotated[int, Field(ge=0, le=10**12)]
"""Money in minor units (fen)."""
Qty = Annotated[int, Field(ge=1, le=1_000_000)]
PayChannel = Literal["wechat", "alipay"]


def _of_our_time(moment: datetime) -> datetime:
    """An order of the year 9999 has a deadline that no calendar has."""
    if not FIRST_YEAR <= moment.year <= LAST_YEAR:
        raise ValueError(f"the year is {moment.year}: orders are of {FIRST_YEAR} to {LAST_YEAR}")
    return moment


FIRST_YEAR, LAST_YEAR = 2000, 2099
OrderTime = Annotated[AwareDatetime, AfterValidator(_of_our_time)]

MOST_OTHER = 20
OtherFacts = Annotated[dict[Id, Annotated[int, Field(ge=0, le=10**6)]], Field(max_length=MOST_OTHER)]
"""What other systems know of an order or its buyer, as numbers by the field's name: 0 and 1 for no and yes."""

MOST_PRICED_BYTES = 1_800_000
"""Of an order priced line by line, as the store answers its registration: the largest message about an order."""
MOST_PARCELS = 200
"""A parcel is a branch that every message wakes. With 1,000 of them, and 200 facts in a message, a workflow task came
over the two seconds after which the engine takes it for hung (`make sizes`)."""
_FIXED = 260
"""Names and punctuation of one priced line, with its tags."""
_LONGEST_TAGS = 4 * 40
"""Of a line whose tags only the catalogue knows."""
_AMOUNTS = 6


class SkuTags(Strict):
    """What splitting looks at. Absent on a line: looked up in the catalogue by SKU."""

    warehouse: Tag
    supplier: Tag = "SELF"
    logistics: Logistics = "ambient"
    customs: Tag = "domestic"


class AfterSalesTerms(Strict):
    """What the buyer agreed to at purchase; kept with the order, so that later changes do not reach it."""

    no_reason: bool = True
    """False: no return without a defect (made to measure, fresh, unsealed …), confirmed by the buyer at purchase."""
    warranty_until: date | None = None
    """The last day of the warranty, in the shop's calendar."""
    warranty_days: Annotated[int, Field(ge=1, le=36_500)] | None = None
    """Or its length, counted from the day after signing."""
    shelf_life_until: date | None = None
    """The last day of the shelf life, as printed on the goods: until then they are replaced as under a warranty."""


class OrderLine(Strict):
    line_id: Id
    sku: Sku
    spu: Sku | None = None
    """The article of which this SKU is one size or colour. Absent: lines of several sizes are not recognised (R60)."""
    name: Wording | None = None
    qty: Qty
    unit_price_minor: Minor
    currency: Currency | None = None
    discount_minor: Minor = 0
    """Line discount (total, not per unit), taken off before coupons."""
    weight_g: Annotated[int, Field(ge=0, le=10**9)] = 0
    """Weight of one unit."""
    tags: SkuTags | None = None
    after_sales: AfterSalesTerms | None = None
    """Absent: returnable without a reason, no warranty."""


class Coupon(Strict):
    coupon_id: Id
    amount_minor: Minor
    lines: Literal["all"] | tuple[Id, ...] = "all"


class FreightTemplate(Strict):
    """First step, then ceil extra steps; free when the net of its lines reaches `free_over_minor`."""

    mode: Literal["qty", "weight_g"]
    first: Annotated[int, Field(ge=1, le=10**9)]
    first_fee_minor: Minor
    extra: Annotated[int, Field(ge=1, le=10**9)]
    extra_fee_minor: Minor
    free_over_minor: Minor | None = None


class FreightCharge(Strict):
    """One freight charge: a fixed amount or a template, spread over its lines by `basis`."""

    amount_minor: Minor | None = None
    template: FreightTemplate | None = None
    basis: Literal["net_amount", "qty", "weight_g"] = "net_amount"
    lines: Literal["all"] | tuple[Id, ...] = "all"

    @model_validator(mode="after")
    def _one_of(self) -> Self:
        if (self.amount_minor is None) == (self.template is None):
            raise ValueError("a freight charge has either amount_minor or template")
        return self


class Address(Strict):
    recipient: Wording
    phone: Phone
    province: Wording
    city: Wording
    district: Wording | None = None
    street: Wording
    postcode: Annotated[str, StringConstraints(pattern=r"^[A-Za-z0-9 -]{3,12}$")] | None = None
    country: Annotated[str, StringConstraints(pattern=r"^[A-Z]{2}$")] = "CN"


class Buyer(Strict):
    """`identity_ref`: what the shop knows the buyer's verified identity by, for customs: a reference or a hash. An
    identity number itself is refused: histories and books keep nothing personal."""

    buyer_id: Id
    identity_ref: Id | None = None
    offers_by: Id | None = None
    """The channel by which the buyer has agreed to hear of offers, in the shop's own word: `sms`, `wechat` … Absent:
    by none, and none is made (R62)."""

    @model_validator(mode="after")
    def _no_identity_number(self) -> Self:
        if self.identity_ref is not None and _IDENTITY_NUMBER.fullmatch(self.identity_ref):
            raise ValueError("identity_ref looks like an identity number; give a reference or a hash of it")
        return self

    @property
    def identity(self) -> str:
        """Who counts as one person at the border."""
        return self.identity_ref or self.buyer_id


class PaymentTerms(Strict):
    """How the buyer pays. `external`: the shop creates the payment at the channel itself, under our order number."""

    channel: PayChannel = "wechat"
    method: Literal["native", "jsapi", "external"] = "native"
    """`native`: a QR code to scan; `jsapi`: inside WeChat, for one `openid`."""
    openid: Annotated[str, StringConstraints(pattern=r"^[A-Za-z0-9_-]{1,128}$")] | None = None
    deadline: OrderTime | None = None
    """Absent: placing time plus the policy's payment timeout."""

    @model_validator(mode="after")
    def _openid_for_jsapi(self) -> Self:
        if self.method == "jsapi" and self.openid is None:
            raise ValueError("jsapi needs the buyer's openid")
        return self

    @model_validator(mode="after")
    def _jsapi_is_wechat(self) -> Self:
        if self.method == "jsapi" and self.channel != "wechat":
            raise ValueError(f"jsapi is a method of wechat; for {self.channel} give native or external")
        return self


class StartOrder(Strict):
    """Start input of the workflow `Order`, id `order/{order_no}`. Amounts in minor units of `currency`."""

    order_no: OrderNo
    channel: Id
    channel_order_no: ChannelOrderNo
    kind: Literal["normal", "flash"] = "normal"
    placed_at: OrderTime
    buyer: Buyer
    address: Address
    currency: Currency = "CNY"
    lines: Annotated[tuple[OrderLine, ...], Field(min_length=1, max_length=10_000)]
    coupons: Annotated[tuple[Coupon, ...], Field(max_length=50)] = ()
    freight: Annotated[tuple[FreightCharge, ...], Field(max_length=50)] = ()
    payable_minor: Minor
    """What the shop showed the buyer. It must equal our own pricing, else the order is refused."""
    payment: PaymentTerms = PaymentTerms()
    dispatch_by: OrderTime | None = None
    """Until when the channel has promised that all of it leaves. Absent: the policy's time, from payment."""
    other_facts: OtherFacts = Field(default_factory=dict)
    """Such as `complaints_30d` of the customer service's own system: the policy says which of them the return risk
    counts (R63). Nothing about who somebody is."""
    proof: Annotated[str, Field(max_length=8_192)] | None = None
    """A token of the service that starts it, made for this very message (docs/contract/README.md)."""

    @model_validator(mode="after")
    def _consistent(self) -> Self:
        ids = [line.line_id for line in self.lines]
        if len(set(ids)) != len(ids):
            raise ValueError("two lines have the same line_id")
        known = set(ids)
        named = [("coupon", c.lines) for c in self.coupons] + [("freight charge", f.lines) for f in self.freight]
        for what, lines in named:
            if lines != "all" and not set(lines) <= known:
                raise ValueError(f"a {what} names a line that the order does not have")
        if len({c.coupon_id for c in self.coupons}) != len(self.coupons):
            raise ValueError("two coupons have the same coupon_id")
        for line in self.lines:
            if line.currency not in (None, self.currency):
                raise ValueError(f"line {line.line_id} is in {line.currency}, the order in {self.currency}")
            if line.discount_minor > line.qty * line.unit_price_minor:
                raise ValueError(f"line {line.line_id} is discounted below zero")
        return self

    def deadline(self, timeout_s: int) -> datetime:
        """When an unpaid order is closed."""
        return self.payment.deadline or self.placed_at + timedelta(seconds=timeout_s)


def order_too_large(order: StartOrder) -> str:
    """Why it is not taken, or ''. Temporal refuses payloads above 2 MB for ever: such an order could never go on."""
    size = sum(_priced_bytes(line) for line in order.lines)
    if size > MOST_PRICED_BYTES:
        return (
            f"the order is too large: its {len(order.lines)} lines come to about {size} bytes when they are priced, at "
            f"most {MOST_PRICED_BYTES} can be handled; split it into several orders"
        )
    places = len({line.tags for line in order.lines if line.tags is not None})
    if places > MOST_PARCELS:
        return f"the order would ship in at least {places} parcels, at most {MOST_PARCELS} can be handled; split it"
    return ""


def _priced_bytes(line: OrderLine) -> int:
    amount = len(str(max(line.qty * line.unit_price_minor, 10**6)))
    return _FIXED + len(line.line_id) + len(line.sku.encode()) + _tags_bytes(line.tags) + _AMOUNTS * amount + 2 * 9


def _tags_bytes(tags: SkuTags | None) -> int:
    if tags is None:
        return _LONGEST_TAGS
    return sum(len(text) for text in (tags.warehouse, tags.supplier, tags.logistics, tags.customs))
