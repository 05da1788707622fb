"""What each table of a rule set may contain: its columns, and what a row must answer."""

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Literal, get_args

from domain.policy import Dimension
from domain.rules.decision import LineFacts, OrderFacts
from domain.rules.sets import TableName

Kind = Literal["text", "texts", "whole", "flag"]
"""Of a column: one text, a list of texts, a whole number, true or false."""
MAX_ROWS = 500
MAX_TARIFF_ROWS = 5_000
MAX_COLUMNS = 40


@dataclass(frozen=True)
class Output:
    field: str
    kind: Kind
    empty: bool = False
    """The cell may be left empty."""


@dataclass(frozen=True)
class Shape:
    """`fields`: the columns that conditions may read. `hit`: the first row that fits counts, or every one that does.
    `data`: conditions are plain values, not expressions."""

    name: TableName
    title: str
    fields: Mapping[str, Kind]
    outputs: tuple[Output, ...]
    hit: Literal["first", "collect"] = "first"
    data: bool = False

    @property
    def most_rows(self) -> int:
        return MAX_TARIFF_ROWS if self.data else MAX_ROWS


def _kinds(model: type[OrderFacts] | type[LineFacts]) -> dict[str, Kind]:
    found: dict[str, Kind] = {}
    for name, field in model.model_fields.items():
        annotation = str(field.annotation)
        found[name] = (
            "texts" if "tuple" in annotation else "flag" if "bool" in annotation
            else "whole" if "int" in annotation else "text"
        )  # fmt: skip
    return found


ORDER_FIELDS = _kinds(OrderFacts)
LINE_FIELDS = {**ORDER_FIELDS, **{name: kind for name, kind in _kinds(LineFacts).items() if name != "line_id"}}
TARIFF_FIELDS: dict[str, Kind] = {"warehouse": "text", "region": "text", "logistics": "text"}
ROUTE_FIELDS: dict[str, Kind] = {
    "amount_minor": "whole",
    "small_max_minor": "whole",
    "type": "text",
    "risk": "text",
    "exempt": "flag",
}
"""Of an after-sales case (`domain/returns/approval_route.py`)."""
CASE_FIELDS: dict[str, Kind] = {
    "channel": "text",
    "type": "text",
    "reason": "text",
    "quality": "flag",
    "fault": "text",
}
"""Of an application (`domain/returns/terms.py`). `quality`: its reason is a defect of goods or delivery."""
CASE_LINE_FIELDS: dict[str, Kind] = {
    **CASE_FIELDS,
    "sku": "text",
    "supplier": "text",
    "logistics": "text",
    "customs": "text",
    "line_amount_minor": "whole",
}
"""Of one of its lines."""
DIMENSIONS = get_args(Dimension)

SHAPES: Mapping[TableName, Shape] = {
    shape.name: shape
    for shape in (
        Shape("dimension_order", "拆单维度顺序", ORDER_FIELDS, (Output("priority", "texts"),)),
        Shape("custom_split", "自定义拆单条件", LINE_FIELDS, (Output("group", "text"),)),
        Shape("separation", "禁止同包", LINE_FIELDS, (Output("kind", "text"), Output("value", "text")), "collect"),
        Shape("preferred_warehouse", "优先发货仓", LINE_FIELDS, (Output("warehouses", "texts"),)),
        Shape("carriers", "可用承运商", LINE_FIELDS, (Output("carriers", "texts"),)),
        Shape(
            "tariffs", "运费表", TARIFF_FIELDS,
            (
                Output("carrier", "text"), Output("first_g", "whole"), Output("first_fee_minor", "whole"),
                Output("extra_g", "whole"), Output("extra_fee_minor", "whole"),
            ),
            "collect", data=True,
        ),
        Shape("approval_route", "售后审批", ROUTE_FIELDS, (Output("levels", "texts"),)),
        Shape("return_policy", "退货政策", CASE_LINE_FIELDS, (Output("days", "whole"),)),
        Shape("freight_back", "退运费", CASE_FIELDS, (Output("freight", "text"),)),
    )
}  # fmt: skip


@dataclass(frozen=True)
class Column:
    id: str
    name: str
    field: str | None
    """None: every cell is a whole condition of its own."""


@dataclass(frozen=True)
class RuleRow:
    rule_id: str
    note: str
    cells: Mapping[str, str]
    """Trimmed text by column id."""


@dataclass(frozen=True)
class RuleTable:
    """A decision table taken out of its document."""

    shape: Shape
    inputs: tuple[Column, ...]
    outputs: tuple[Column, ...]
    rows: tuple[RuleRow, ...]
