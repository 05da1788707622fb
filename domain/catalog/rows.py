"""One row of a catalogue file or of the master-data interface: cells in, a record out, or what is wrong by column."""

import re
from collections.abc import Mapping
from typing import Any, NamedTuple

from pydantic import ValidationError

from domain.catalog.records import SkuRecord
from domain.reading.cleaning import Spoilt, clean_code, clean_quantity, exact_sku
from domain.strict import Strict, of

Cell = str | int | float | bool | list[str] | tuple[str, ...] | None
"""Text as in a file, or a typed value of a system."""


class SheetColumn(NamedTuple):
    name: str
    path: tuple[str, ...]
    """Where it goes in `SkuRecord`."""
    kind: str
    zh: str
    en: str


COLUMNS = (
    SheetColumn("sku", ("sku",), "text", "SKU 编码，必填，唯一", "SKU, needed, once in the file"),
    SheetColumn("name", ("name",), "text", "商品名称", "name of the goods"),
    SheetColumn(
        "ship_from", ("ship_from",), "list", "发货仓，按优先顺序，用逗号分隔",
        "warehouses in order of preference, commas between",
    ),
    SheetColumn("supplier", ("supplier",), "text", "供应商编码，空为 SELF", "supplier, empty: SELF"),
    SheetColumn(
        "logistics", ("logistics",), "text", "物流类型 ambient、cold、frozen…，空为 ambient",
        "logistics class ambient, cold, frozen …, empty: ambient",
    ),
    SheetColumn(
        "customs", ("customs",), "text", "报关方式 domestic、personal、cbec、general_trade，空为 domestic",
        "customs mode domestic, personal, cbec or general_trade, empty: domestic",
    ),
    SheetColumn("weight_g", ("weight_g",), "whole", "单件重量（克）", "weight of one unit in grams"),
    SheetColumn("length_mm", ("size", "length_mm"), "whole", "长（毫米），长宽高都填",
        "length in mm, all three or none"),
    SheetColumn("width_mm", ("size", "width_mm"), "whole", "宽（毫米）", "width in mm"),
    SheetColumn("height_mm", ("size", "height_mm"), "whole", "高（毫米）", "height in mm"),
    SheetColumn("battery", ("battery",), "flag", "含电池 是/否", "holds a battery: yes or no"),
    SheetColumn("hazard", ("hazard",), "flag", "危险品 是/否", "dangerous goods: yes or no"),
    SheetColumn("vat_bp", ("tax", "vat_bp"), "whole", "增值税率（万分之一，13% 填 1300）",
        "VAT in 1/10000, 13 % is 1300"),
    SheetColumn("ct_bp", ("tax", "ct_bp"), "whole", "消费税率（万分之一）", "consumption tax in 1/10000"),
    SheetColumn("tariff_bp", ("tax", "tariff_bp"), "whole", "关税率（万分之一）", "tariff in 1/10000"),
    SheetColumn("postal_bp", ("tax", "postal_bp"), "whole", "行邮税率（万分之一）", "personal postal tax in 1/10000"),
    SheetColumn("hs_code", ("tax", "hs_code"), "text", "海关税则号，6 至 13 位数字", "HS code, 6 to 13 digits"),
)  # fmt: skip
BY_NAME = {column.name: column for column in COLUMNS}
ALIASES = {"warehouse": "ship_from", "supplier_id": "supplier", "customs_mode": "customs"}
"""Names that other systems use."""
_BY_PATH = {column.path: column for column in COLUMNS}
_DEFAULTS = SkuRecord(sku="X").model_dump(mode="json")

_EXACT = 10**15
_WHOLE = re.compile(r"-?[0-9]{1,10}")
_BETWEEN = re.compile(r"[,;|\n，；、]")
_FLAGS = {"true": True, "yes": True, "y": True, "1": True, "是": True, "有": True} | {
    "false": False, "no": False, "n": False, "0": False, "否": False, "无": False,
}  # fmt: skip


class RowFault(Strict):
    """What is wrong in one row, where, and what to do."""

    column: str
    reason: str
    advice: str


class BadRow(ValueError):
    def __init__(self, faults: list[RowFault]) -> None:
        super().__init__("; ".join(f"{f.column}: {f.reason}" for f in faults))
        self.faults = tuple(faults)


def column_of(heading: str) -> SheetColumn | None:
    """The column that a heading or key means; None for a heading that is none of ours."""
    name = heading.strip().lower()
    return BY_NAME.get(ALIASES.get(name, name))


def sku_of(cells: Mapping[str, Cell]) -> str:
    """The row's SKU as it stands there, to tell rows apart before they are checked."""
    told = str(next((v for k, v in cells.items() if k.strip().lower() == "sku" and v is not None), ""))
    try:
        return clean_code(told)
    except Spoilt:  # the row is refused for it
        return told.strip()


def record(cells: Mapping[str, Cell], known: SkuRecord | None = None) -> SkuRecord:
    """The record that the row makes of `known`. Raises `BadRow` with every fault.

    A column that the row does not have keeps what is known; an empty cell takes the default.
    """
    value = known.model_dump(mode="json") if known else dict(_DEFAULTS)
    faults = _fill(value, cells)
    if not sku_of(cells):
        faults = [f for f in faults if f.column != "sku"] + [_fault("sku", "is empty")]
    if not faults:
        try:
            return of(SkuRecord, value)
        except ValidationError as error:
            faults = [_of_error(item["loc"], item["msg"]) for item in error.errors()]
    raise BadRow(faults)


def _fill(value: dict[str, Any], cells: Mapping[str, Cell]) -> list[RowFault]:
    faults: list[RowFault] = []
    size = dict(value["size"] or {})
    for heading, cell in cells.items():
        column = column_of(heading)
        if column is None:
            faults.append(RowFault(column=heading, reason="is no column of a catalogue", advice=f"one of {_names()}"))
            continue
        try:
            read = _read(column, cell)
        except ValueError as error:
            faults.append(_fault(column.name, str(error)))
            continue
        if column.path[0] == "size":
            size[column.path[1]] = read
        elif column.path[0] == "tax":
            value["tax"] = {**value["tax"], column.path[1]: read}
        else:
            value[column.name] = _DEFAULTS[column.name] if read is None and column.name != "sku" else read
    value["size"] = size if any(v is not None for v in size.values()) else None
    return faults


def _read(column: SheetColumn, cell: Cell) -> Any:
    """The cell's value; None for an empty one. Raises `ValueError` with what is wrong."""
    if cell is None or (isinstance(cell, str) and not cell.strip()):
        return None
    if column.kind == "list":
        parts = _BETWEEN.split(cell) if isinstance(cell, str) else cell
        if not isinstance(parts, list | tuple):
            raise ValueError("is no list")
        return [part.strip() for part in parts if part.strip()]
    if column.kind == "flag":
        flag = cell if isinstance(cell, bool) else _FLAGS.get(str(cell).strip().lower())
        if flag is None:
            raise ValueError(f"{_short(cell)} is neither yes nor no")
        return flag
    if isinstance(cell, bool | list | tuple):
        raise ValueError(f"{_short(cell)} is no {'whole number' if column.kind == 'whole' else 'text'}")
    if column.kind == "whole":
        return _number(cell)
    return exact_sku(_text(cell)) if column.name == "sku" else _text(cell)


def _number(cell: str | int | float) -> int:
    if isinstance(cell, float) and cell.is_integer() and abs(cell) < 10**10:
        return int(cell)  # a spreadsheet knows only one kind of number
    text = clean_quantity(str(cell))
    if not _WHOLE.fullmatch(text):
        raise ValueError(f"{_short(cell)} is no whole number")
    return int(text)


def _text(cell: str | int | float) -> str:
    if not isinstance(cell, str) and abs(cell) >= _EXACT:
        raise ValueError("is a number of which a spreadsheet keeps 15 digits; format it as text")
    if isinstance(cell, float):
        if not cell.is_integer():
            raise ValueError(f"{_short(cell)} is a number with a fraction")
        return str(int(cell))
    return str(cell).strip()


def _of_error(path: tuple[int | str, ...], text: str) -> RowFault:
    names = tuple(str(p) for p in path if not isinstance(p, int))
    column = _BY_PATH.get(names) or _BY_PATH.get(names[:1])
    text = text.removeprefix("Value error, ")
    if column is None:  # a rule about the whole record
        return _fault("ship_from" if text.startswith("ship_from") else "sku", text)
    reason = "is not given, the other sizes are" if names[0] == "size" and "valid integer" in text else text
    return _fault(column.name, reason)


def _fault(name: str, reason: str) -> RowFault:
    column = BY_NAME[name]
    return RowFault(column=name, reason=reason, advice=f"{column.en} / {column.zh}")


def _names() -> str:
    return ", ".join(column.name for column in COLUMNS)


def _short(cell: object) -> str:
    text = str(cell)
    return repr(text if len(text) <= 40 else text[:40] + "…")
