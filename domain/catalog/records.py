"""The catalogue: what is known of a SKU. What splitting looks at on an order line is `domain.order.SkuTags`."""

from typing import Annotated, Literal, Self

from pydantic import Field, StringConstraints, model_validator

from domain.order import Logistics, Sku, SkuTags, Tag, Wording
from domain.strict import Strict

CustomsMode = Literal["domestic", "personal", "cbec", "general_trade"]
"""Inside the country, personal postal articles, cross-border e-commerce, full import."""
Millimetres = Annotated[int, Field(ge=1, le=100_000)]
Rate = Annotated[int, Field(ge=0, le=10_000)]
"""Basis points: 1300 is 13 %."""
MAX_WAREHOUSES = 20


class Size(Strict):
    length_mm: Millimetres
    width_mm: Millimetres
    height_mm: Millimetres


class Tax(Strict):
    """What customs ask for; None where nobody has said it."""

    vat_bp: Rate | None = None
    ct_bp: Annotated[int, Field(ge=0, le=9_999)] | None = None
    """Consumption tax; below 100 %, because the taxed price is divided by what is left."""
    tariff_bp: Annotated[int, Field(ge=0, le=100_000)] | None = None
    postal_bp: Rate | None = None
    """Rate for personal postal articles."""
    hs_code: Annotated[str, StringConstraints(pattern=r"^[0-9]{6,13}$")] | None = None


class SkuRecord(Strict):
    """One SKU. Without `ship_from` it is known but untagged: an order with it needs a person (R25)."""

    sku: Sku
    name: Wording | None = None
    ship_from: Annotated[tuple[Tag, ...], Field(max_length=MAX_WAREHOUSES)] = ()
    """Warehouses the goods may leave, in order of preference."""
    supplier: Tag = "SELF"
    logistics: Logistics = "ambient"
    customs: CustomsMode = "domestic"
    weight_g: Annotated[int, Field(ge=0, le=10**9)] | None = None
    """Weight of one unit."""
    size: Size | None = None
    battery: bool = False
    hazard: bool = False
    tax: Tax = Tax()

    @model_validator(mode="after")
    def _warehouses_once(self) -> Self:
        if len(set(self.ship_from)) != len(self.ship_from):
            raise ValueError("ship_from names a warehouse twice")
        return self

    @property
    def cross_border(self) -> bool:
        return self.customs != "domestic"

    @property
    def tags(self) -> SkuTags | None:
        """What splitting looks at; None as long as the SKU is untagged."""
        if not self.ship_from:
            return None
        return SkuTags(
            warehouse=self.ship_from[0], supplier=self.supplier, logistics=self.logistics, customs=self.customs
        )
