"""The mapping file: which column feeds which field of an order. Declarative, strict, no code in it."""

from pathlib import Path
from string import Formatter
from typing import Any, Literal, Self
from zoneinfo import ZoneInfo, ZoneInfoNotFoundError

import yaml
from pydantic import ValidationError, field_validator, model_validator

from domain.order import PaymentTerms
from domain.strict import Strict, faults

MAX_BYTES = 200_000


class MappingRefused(ValueError):
    """The mapping file cannot be used. The text names the file and every fault, one per line."""


class Cell(Strict):
    """One text, from a column, a constant or a template such as `SS-{Order ID}`.

    `map` translates the text; a text that is not in it refuses the row. `optional`: an empty cell is no value.
    """

    column: str | None = None
    const: str | None = None
    template: str | None = None
    map: dict[str, str] | None = None
    optional: bool = False

    @model_validator(mode="after")
    def _one_source(self) -> Self:
        if sum(x is not None for x in (self.column, self.const, self.template)) != 1:
            raise ValueError("give exactly one of column, const, template")
        return self

    @field_validator("template")
    @classmethod
    def _only_names(cls, text: str | None) -> str | None:
        for _, name, spec, conversion in Formatter().parse(text or ""):
            # `{a.b}` and `{a!r}` would reach into objects; a mapping may only name columns.
            if name is not None and (not name or spec or conversion):
                raise ValueError("a template may only hold plain {Column} places")
        return text

    def columns(self) -> tuple[str, ...]:
        """Columns that the cell reads."""
        if self.column is not None:
            return (self.column,)
        return tuple(name for _, name, _, _ in Formatter().parse(self.template or "") if name)


class DateCell(Strict):
    """A date or time in a column, in a `strptime` format; without a zone of its own it is in `zone`."""

    column: str
    format: str = "%Y-%m-%d"
    zone: str = "Asia/Shanghai"

    @field_validator("zone")
    @classmethod
    def _known(cls, name: str) -> str:
        try:
            ZoneInfo(name)
        except (ZoneInfoNotFoundError, ValueError):
            raise ValueError(f"{name!r} is not a time zone") from None
        return name


class AddressCells(Strict):
    recipient: Cell
    phone: Cell
    province: Cell
    city: Cell
    district: Cell | None = None
    street: Cell
    postcode: Cell | None = None
    country: Cell = Cell(const="CN")


class OrderCells(Strict):
    """Fields of the order. All rows of one order must agree on them."""

    group_by: str
    """Column whose equal values make rows one order."""
    order_no: Cell
    channel: Cell
    channel_order_no: Cell
    kind: Cell = Cell(const="normal")
    placed_at: DateCell
    buyer_id: Cell
    currency: Cell = Cell(const="CNY")
    address: AddressCells


class TagCells(Strict):
    warehouse: Cell
    supplier: Cell = Cell(const="SELF")
    logistics: Cell = Cell(const="ambient")
    customs: Cell = Cell(const="domestic")


class LineCells(Strict):
    """Fields of a line. `total` is the line's total after discounts, in major units (yuan) with any decimals."""

    sku: Cell
    name: Cell | None = None
    qty: Cell
    total: Cell
    weight_g: Cell | None = None
    tags: TagCells | None = None


class PaidCells(Strict):
    """Of orders that are paid at their channel already, under another number than ours: with it goes who got the money,
    which transaction it was, when, and where that can be seen. A row without a transaction is of an order to be paid.
    """

    transaction_id: Cell
    merchant_id: Cell
    paid_at: DateCell
    evidence: Cell
    channel: Cell = Cell(const="wechat")
    """Of payment: wechat or alipay."""
    amount: Cell | None = None
    """In major units; it has to be what the order costs. Absent: it is."""


class ImportMapping(Strict):
    version: Literal[1]
    encoding: Literal["detect", "utf-8", "utf-8-sig", "utf-16", "gb18030", "big5"] = "detect"
    delimiter: Literal["detect", ",", "\t", ";", "|"] = "detect"
    rounded: Literal["refuse", "accept"] = "refuse"
    """Numbers of 17 digits and more with only zeros after the 15th: rounded by a spreadsheet, or right."""
    order: OrderCells
    line: LineCells
    payment: PaymentTerms = PaymentTerms()
    paid: PaidCells | None = None

    def columns(self) -> tuple[str, ...]:
        """Every column the mapping reads, each once, in the order of the mapping."""
        found = [self.order.group_by, *self.dates()]
        found += [c for cell in _cells(self) for c in cell.columns()]
        return tuple(dict.fromkeys(found))

    def dates(self) -> dict[str, str]:
        """Columns that hold dates, with the format of each."""
        cells = [self.order.placed_at] + ([self.paid.paid_at] if self.paid else [])
        return {cell.column: cell.format for cell in cells}


def load_mapping(path: Path) -> ImportMapping:
    """Read and check a mapping file. Raises `MappingRefused`."""
    try:
        raw = path.read_bytes()
    except OSError as e:
        raise MappingRefused(f"the mapping {path} cannot be read: {e.strerror}") from None
    if len(raw) > MAX_BYTES:
        raise MappingRefused(f"the mapping {path} has {len(raw)} bytes; at most {MAX_BYTES} are read")
    try:
        value = yaml.load(raw, Loader=_UniqueKeys)  # noqa: S506 - a SafeLoader, only stricter
    except (yaml.YAMLError, UnicodeDecodeError, RecursionError) as e:
        raise MappingRefused(f"the mapping {path} is not YAML: {' '.join(str(e).split())}") from None
    try:
        return ImportMapping.model_validate(value)
    except ValidationError as e:
        raise MappingRefused(f"the mapping {path} is not usable:\n{faults(e)}") from None


class _UniqueKeys(yaml.SafeLoader):
    def construct_mapping(self, node: yaml.MappingNode, deep: bool = False) -> dict[Any, Any]:
        keys = [key.value for key, _ in node.value]
        twice = next((k for k in keys if keys.count(k) > 1), None)
        if twice is not None:
            raise yaml.constructor.ConstructorError(None, None, f"the key {twice!r} stands twice", node.start_mark)
        return super().construct_mapping(node, deep)


def _cells(model: Strict) -> list[Cell]:
    found: list[Cell] = []
    for name in type(model).model_fields:
        value = getattr(model, name)
        if isinstance(value, Cell):
            found.append(value)
        elif isinstance(value, Strict) and not isinstance(value, PaymentTerms):
            found += _cells(value)
    return found
