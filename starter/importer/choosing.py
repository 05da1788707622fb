"""A mapping as people make it: one field after the other gets its column, or a text that is the same for all rows.

sources = guessed(header)                      # {"order.address.phone": "column:手机", "order.currency": "text:CNY"}
mapping = chosen(sources, date_format="%Y-%m-%d")
"""

from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from datetime import datetime
from typing import Any

from pydantic import ValidationError

from domain.strict import faults
from starter.importer.mapping import Cell, DateCell, ImportMapping, MappingRefused

COLUMN, TEXT = "column:", "text:"
"""How a source begins. A text may hold `{Column}` places. An empty source: the file does not tell this field."""
GROUP, PLACED, PAID_AT = "order.group_by", "order.placed_at", "paid.paid_at"
DATES = (PLACED, PAID_AT)
DATE_FORMATS = (
    "%Y-%m-%d %H:%M:%S", "%Y-%m-%d %H:%M", "%Y-%m-%d", "%Y/%m/%d %H:%M:%S", "%Y/%m/%d %H:%M", "%Y/%m/%d",
    "%Y-%m-%dT%H:%M:%S%z",
)  # fmt: skip


@dataclass(frozen=True)
class ChosenField:
    """`name`: its place in `ImportMapping`. `known`: how shops call its column, lower case. `usual`: its source when no
    column is called so. `needed`: an order cannot be without it."""

    name: str
    known: tuple[str, ...]
    needed: bool = True
    usual: str = ""


NUMBERS = (
    "订单编号",
    "订单号",
    "主订单编号",
    "平台订单号",
    "交易编号",
    "order id",
    "order no",
    "order number",
    "order_no",
)
FIELDS = (
    ChosenField(GROUP, NUMBERS),
    ChosenField("order.order_no", NUMBERS),
    ChosenField("order.channel", ("渠道", "平台", "店铺", "来源平台", "channel", "platform", "shop")),
    ChosenField("order.channel_order_no", NUMBERS),
    ChosenField(PLACED, ("下单时间", "订单创建时间", "创建时间", "提交时间", "order date", "order time", "placed at")),
    ChosenField("order.buyer_id", ("买家id", "买家会员名", "买家账号", "会员名", "customer id", "buyer id")),
    ChosenField("order.currency", ("币种", "currency"), usual=f"{TEXT}CNY"),
    ChosenField("order.address.recipient", ("收货人", "收货人姓名", "收件人", "收件人姓名", "recipient", "ship to")),
    ChosenField("order.address.phone", ("手机", "手机号", "联系手机", "收货人手机", "收件人手机", "联系电话", "phone")),
    ChosenField("order.address.province", ("省", "省份", "收货省份", "province", "state")),
    ChosenField("order.address.city", ("市", "城市", "收货城市", "city")),
    ChosenField("order.address.district", ("区", "区县", "收货区县", "district", "county"), needed=False),
    ChosenField("order.address.street", ("详细地址", "收货地址", "地址", "街道", "street", "address")),
    ChosenField("order.address.postcode", ("邮编", "邮政编码", "postal code", "postcode", "zip"), needed=False),
    ChosenField("line.sku", ("商家编码", "sku编码", "sku", "商品编码", "货号", "product id", "sku code")),
    ChosenField("line.name", ("商品名称", "商品标题", "宝贝标题", "品名", "product name", "title"), needed=False),
    ChosenField("line.qty", ("数量", "购买数量", "宝贝数量", "商品数量", "quantity", "qty")),
    ChosenField("line.total", ("实付金额", "商品金额", "小计", "金额", "买家实际支付金额", "sales", "total", "amount")),
    ChosenField("line.weight_g", ("重量", "重量(克)", "重量（克）", "weight_g", "grams"), needed=False),
    ChosenField("line.tags.warehouse", ("仓库", "发货仓", "仓库编码", "warehouse"), needed=False),
    ChosenField(
        "paid.transaction_id",
        ("支付单号", "支付流水号", "支付交易号", "微信支付单号", "支付宝交易号", "transaction id", "transaction no"),
        needed=False,
    ),
    ChosenField("paid.channel", ("支付方式", "支付渠道", "pay channel", "payment method"), needed=False),
    ChosenField("paid.merchant_id", ("商户号", "收款商户号", "收款账号", "merchant id", "merchant no"), needed=False),
    ChosenField(PAID_AT, ("付款时间", "订单付款时间", "支付时间", "paid at", "payment time"), needed=False),
    ChosenField("paid.amount", ("付款金额", "订单付款金额", "paid amount"), needed=False),
    ChosenField("paid.evidence", ("付款凭证", "支付凭证", "evidence"), needed=False),
)  # fmt: skip
PAID = "paid."
"""What fields of a payment begin with."""
PROVING = frozenset({f"{PAID}{name}" for name in ("transaction_id", "merchant_id", "paid_at", "evidence")})
"""Without these nothing is said of a payment."""


def guessed(header: Iterable[str]) -> dict[str, str]:
    """Sources by field, of columns that are called as shops call them."""
    called = _called(header)
    found = {}
    for field in FIELDS:
        found[field.name] = "" if field.name.startswith(PAID) else _found(field, called)
    return found


def guessed_payment(header: Iterable[str]) -> dict[str, str]:
    """The same of the payments of orders that are paid already: only who chooses says that they are."""
    called = _called(header)
    return {field.name: _found(field, called) for field in FIELDS if field.name.startswith(PAID)}


def _called(header: Iterable[str]) -> dict[str, str]:
    called: dict[str, str] = {}
    for name in header:
        called.setdefault(name.strip().lower(), name)
    return called


def _found(field: ChosenField, called: Mapping[str, str]) -> str:
    column = next((called[name] for name in field.known if name in called), "")
    return f"{COLUMN}{column}" if column else field.usual


def guessed_format(values: Iterable[str]) -> str:
    """Of the dates of a column: the first format that reads them all."""
    seen = [value.strip() for value in values if value.strip()]
    return next((form for form in DATE_FORMATS if seen and all(_reads(value, form) for value in seen)), DATE_FORMATS[0])


def sources_of(mapping: ImportMapping) -> dict[str, str]:
    """What was chosen for a mapping that is there."""
    found = {}
    for field in FIELDS:
        value: Any = mapping
        for part in field.name.split("."):
            value = getattr(value, part, None)
        found[field.name] = _source(value)
    return found


def chosen(
    sources: Mapping[str, str],
    *,
    date_format: str,
    paid_format: str = DATE_FORMATS[0],
    encoding: str = "detect",
    delimiter: str = "detect",
    base: ImportMapping | None = None,
) -> ImportMapping:
    """Raises `MappingRefused` for what lacks or does not fit. `base`: a mapping that was changed: what it says beyond
    sources (translations of values, terms of payment) stays, of a field as long as its source does."""
    paid = any(source for name, source in sources.items() if name.startswith(PAID))
    needed = {field.name for field in FIELDS if field.needed} | (PROVING if paid else frozenset())
    lacking = [field.name for field in FIELDS if field.name in needed and sources.get(field.name, "") in ("", TEXT)]
    if lacking:
        raise MappingRefused("\n".join(f"{name}: has no column" for name in lacking))
    whole: dict[str, Any] = {"version": 1} if base is None else base.model_dump(exclude_none=True)
    before = {} if base is None else sources_of(base)
    for field in FIELDS:
        source = sources.get(field.name, "")
        if base is None or source != before[field.name]:
            _put(whole, field.name.split("."), _cell(field, source))
    for group, name, form in (("order", "placed_at", date_format), ("paid", "paid_at", paid_format)):
        if name in whole.get(group, {}):
            whole[group][name] = whole[group][name] | {"format": form}
    try:
        return ImportMapping.model_validate(whole | {"encoding": encoding, "delimiter": delimiter})
    except ValidationError as error:
        raise MappingRefused(faults(error)) from None


def _source(value: Any) -> str:
    match value:
        case str():
            return f"{COLUMN}{value}"
        case DateCell():
            return f"{COLUMN}{value.column}"
        case Cell(column=None):
            return f"{TEXT}{value.template or value.const}"
        case Cell():
            return f"{COLUMN}{value.column}"
    return ""


def _cell(field: ChosenField, source: str) -> Any:
    """None: the file does not tell it."""
    if source in ("", TEXT):
        return None
    text = source.removeprefix(COLUMN).removeprefix(TEXT) if source.startswith((COLUMN, TEXT)) else source
    is_column = source.startswith(COLUMN)
    if field.name == GROUP:
        return text if is_column else ""
    if field.name in DATES:
        return {"column": text} if is_column else None
    if is_column:
        return {"column": text, "optional": not field.needed}
    return {"template": text} if "{" in text else {"const": text}


def _put(whole: dict[str, Any], path: list[str], value: Any) -> None:
    """Groups that hold nothing are left out."""
    first, *rest = path
    if not rest:
        if value is None:
            whole.pop(first, None)
        else:
            whole[first] = value
        return
    inner = whole.get(first) or {}
    _put(inner, rest, value)
    if inner:
        whole[first] = inner
    else:
        whole.pop(first, None)


def _reads(value: str, form: str) -> bool:
    try:
        datetime.strptime(value, form)  # noqa: DTZ007 - only whether it can be read
    except ValueError:
        return False
    return True
