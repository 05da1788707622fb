"""Customs: what one declaration owes, and whether it may go at all (R38). Integers only, each line rounded half up.

The legal values are dated: `Parameters` of the day of the declaration. Limits are never dodged by splitting: what one
buyer declares on the same day counts together, and a declaration over a limit is not taxed but left to a person.
"""

from collections.abc import Sequence
from datetime import date
from enum import StrEnum
from typing import Annotated

from pydantic import Field

from domain.catalog.records import CustomsMode, Rate
from domain.money import allocate
from domain.order import Id, Minor, Qty, Sku
from domain.strict import Strict

WHOLE = 10_000
"""Basis points."""


class UnableToAssess(ValueError):
    """A rate is not known. The text names the line and what to add to the catalogue: tax is never guessed."""


class CustomsDecision(StrEnum):
    DOMESTIC = "DOMESTIC"
    CBEC_70PCT = "CBEC_70PCT"
    """Within the limits: no tariff, 70 % of consumption tax and VAT."""
    CBEC_FULL_TAX = "CBEC_FULL_TAX"
    """One indivisible piece over the single limit, within the year's: full tax through the same channel."""
    GENERAL_TRADE = "GENERAL_TRADE"
    """Full import; of a cross-border declaration: over a limit, it may only go this way (tax None)."""
    PERSONAL_EXEMPT = "PERSONAL_EXEMPT"
    PERSONAL_TAXED = "PERSONAL_TAXED"
    RETURN_OR_GENERAL_TRADE = "RETURN_OR_GENERAL_TRADE"
    """Personal articles over the parcel limit: sent back, or imported in full."""


class Parameters(Strict):
    """Legal values from `valid_from` on. Amounts in fen."""

    valid_from: date
    single_limit_minor: Minor
    """Of one cross-border transaction."""
    annual_limit_minor: Minor
    """Of all cross-border transactions of one buyer in a calendar year."""
    reduced_bp: Rate = 7_000
    """Share of consumption tax and VAT that is due within the limits."""
    postal_exempt_minor: Minor = 5_000
    """Postal tax up to this is not collected."""
    parcel_limit_minor: Minor = 100_000
    parcel_limit_near_minor: Minor = 80_000
    """Of parcels from Hong Kong, Macau and Taiwan."""
    near_warehouses: tuple[str, ...] = ()
    """Our warehouses there."""


BUILT_IN = (
    Parameters(valid_from=date(2016, 4, 8), single_limit_minor=200_000, annual_limit_minor=2_000_000),
    Parameters(valid_from=date(2019, 1, 1), single_limit_minor=500_000, annual_limit_minor=2_600_000),
)
"""As published; to be confirmed by a person before anybody relies on them (docs/operations.md)."""


class DeclaredLine(Strict):
    """Rates that the mode does not ask for may be None. `freight_minor` None: its share is still to be cut."""

    line_id: Id
    sku: Sku
    qty: Qty
    net_minor: Minor
    freight_minor: Minor | None = None
    vat_bp: Rate | None = None
    ct_bp: Annotated[int, Field(ge=0, le=9_999)] | None = None
    tariff_bp: Annotated[int, Field(ge=0, le=100_000)] | None = None
    postal_bp: Rate | None = None


class Declaration(Strict):
    """One child's goods. `freight_minor`: shared out by net over lines that have no share of their own yet."""

    mode: CustomsMode
    lines: Annotated[tuple[DeclaredLine, ...], Field(min_length=1)]
    freight_minor: Minor = 0
    near: bool = False
    """From Hong Kong, Macau or Taiwan."""


class Others(Strict):
    """What counts together with the declaration: the same buyer's others in this mode, of this order or this day."""

    dutiable_minor: Minor = 0
    assessed_minor: Minor = 0


class LineTax(Strict):
    line_id: Id
    dutiable_minor: Minor
    tariff_minor: Minor = 0
    consumption_tax_minor: Minor = 0
    vat_minor: Minor = 0
    postal_minor: Minor = 0

    @property
    def tax_minor(self) -> int:
        return self.tariff_minor + self.consumption_tax_minor + self.vat_minor + self.postal_minor


class Assessed(Strict):
    """`tax_minor` None: over a limit, nothing is due because it may not go. `assessed_minor`: before the exemption."""

    mode: CustomsMode
    decision: CustomsDecision
    dutiable_minor: Minor
    tax_minor: Minor | None
    assessed_minor: Minor = 0
    lines: tuple[LineTax, ...] = ()
    product_fee_minor: Minor
    transport_fee_minor: Minor
    why: str = ""
    """Of a declaration that may not go: which limit, by how much."""

    @property
    def order_fee_minor(self) -> int:
        """What is declared at the payment channel: goods and transport."""
        return self.product_fee_minor + self.transport_fee_minor

    @property
    def may_go(self) -> bool:
        return self.tax_minor is not None


def parameters_on(day: date, published: Sequence[Parameters] = ()) -> Parameters:
    """The legal values of a day: published ones before built-in ones of the same date. Raises `UnableToAssess`."""
    by_date = {p.valid_from: p for p in (*BUILT_IN, *published) if p.valid_from <= day}
    if not by_date:
        raise UnableToAssess(f"no customs values are known for {day}; publish some with `oms customs publish`")
    return by_date[max(by_date)]


def assess(
    declaration: Declaration, parameters: Parameters, annual_used_minor: int = 0, others: Others | None = None
) -> Assessed:
    """What the declaration owes, and by which way it may go. Raises `UnableToAssess` for a rate that is not known."""
    together = others or Others()
    dutiable = _dutiable(declaration)
    total = sum(dutiable)
    match declaration.mode:
        case "domestic":
            return _answer(declaration, CustomsDecision.DOMESTIC, total, [])
        case "general_trade":
            return _answer(declaration, CustomsDecision.GENERAL_TRADE, total, _full(declaration, dutiable))
        case "cbec":
            return _cbec(declaration, dutiable, parameters, annual_used_minor, together)
        case "personal":
            return _personal(declaration, dutiable, parameters, together)


def _cbec(
    declaration: Declaration, dutiable: Sequence[int], p: Parameters, annual_used: int, others: Others
) -> Assessed:
    total = sum(dutiable)
    year, together = annual_used + total, others.dutiable_minor + total
    if year > p.annual_limit_minor:
        why = f"{annual_used} of the year used and {total} more exceed the annual limit {p.annual_limit_minor}"
        return _over(declaration, CustomsDecision.GENERAL_TRADE, total, why)
    if together <= p.single_limit_minor:
        return _answer(declaration, CustomsDecision.CBEC_70PCT, total, _reduced(declaration, dutiable, p.reduced_bp))
    if _one_piece(declaration, others):
        return _answer(declaration, CustomsDecision.CBEC_FULL_TAX, total, _full(declaration, dutiable))
    why = f"{together} together exceed the single limit {p.single_limit_minor}"
    return _over(declaration, CustomsDecision.GENERAL_TRADE, total, why)


def _personal(declaration: Declaration, dutiable: Sequence[int], p: Parameters, others: Others) -> Assessed:
    total = sum(dutiable)
    limit = p.parcel_limit_near_minor if declaration.near else p.parcel_limit_minor
    together = others.dutiable_minor + total
    if together > limit and not _one_piece(declaration, others):
        why = f"{together} together exceed the parcel limit {limit}"
        return _over(declaration, CustomsDecision.RETURN_OR_GENERAL_TRADE, total, why)
    lines = [
        LineTax(
            line_id=line.line_id,
            dutiable_minor=value,
            postal_minor=_half_up(value * _rate(line, "postal_bp"), WHOLE),
        )
        for line, value in zip(declaration.lines, dutiable, strict=True)
    ]
    assessed = sum(line.postal_minor for line in lines)
    exempt = others.assessed_minor + assessed <= p.postal_exempt_minor
    decision = CustomsDecision.PERSONAL_EXEMPT if exempt else CustomsDecision.PERSONAL_TAXED
    answer = _answer(declaration, decision, total, lines)
    return answer.model_copy(update={"tax_minor": 0}) if exempt else answer


def _one_piece(declaration: Declaration, others: Others) -> bool:
    """One unit that cannot be divided, and nothing beside it."""
    return len(declaration.lines) == 1 and declaration.lines[0].qty == 1 and others.dutiable_minor == 0


def _dutiable(declaration: Declaration) -> list[int]:
    """Goods and freight, by line."""
    lines = declaration.lines
    cut = allocate(declaration.freight_minor, [line.net_minor for line in lines])
    shares = [part if line.freight_minor is None else line.freight_minor for line, part in zip(lines, cut, strict=True)]
    return [line.net_minor + share for line, share in zip(lines, shares, strict=True)]


def _reduced(declaration: Declaration, dutiable: Sequence[int], share_bp: int) -> list[LineTax]:
    answer: list[LineTax] = []
    for line, value in zip(declaration.lines, dutiable, strict=True):
        ct, vat = _rate(line, "ct_bp"), _rate(line, "vat_bp")
        divisor = (WHOLE - ct) * WHOLE
        answer.append(
            LineTax(
                line_id=line.line_id,
                dutiable_minor=value,
                consumption_tax_minor=_half_up(value * ct * share_bp, divisor),
                vat_minor=_half_up(value * vat * share_bp, divisor),
            )
        )
    return answer


def _full(declaration: Declaration, dutiable: Sequence[int]) -> list[LineTax]:
    """Tariff on the value; consumption tax and VAT on value and tariff, grossed up by the consumption tax in it."""
    answer: list[LineTax] = []
    for line, value in zip(declaration.lines, dutiable, strict=True):
        ct, vat = _rate(line, "ct_bp"), _rate(line, "vat_bp")
        tariff = _half_up(value * _rate(line, "tariff_bp"), WHOLE)
        answer.append(
            LineTax(
                line_id=line.line_id,
                dutiable_minor=value,
                tariff_minor=tariff,
                consumption_tax_minor=_half_up((value + tariff) * ct, WHOLE - ct),
                vat_minor=_half_up((value + tariff) * vat, WHOLE - ct),
            )
        )
    return answer


def _answer(declaration: Declaration, decision: CustomsDecision, total: int, lines: Sequence[LineTax]) -> Assessed:
    tax = sum(line.tax_minor for line in lines)
    product = sum(line.net_minor for line in declaration.lines)
    return Assessed(
        mode=declaration.mode,
        decision=decision,
        dutiable_minor=total,
        tax_minor=tax,
        assessed_minor=tax,
        lines=tuple(lines),
        product_fee_minor=product,
        transport_fee_minor=total - product,
    )


def _over(declaration: Declaration, decision: CustomsDecision, total: int, why: str) -> Assessed:
    return _answer(declaration, decision, total, []).model_copy(update={"tax_minor": None, "why": why})


def _rate(line: DeclaredLine, name: str) -> int:
    found: int | None = getattr(line, name)
    if found is None:
        raise UnableToAssess(
            f"line {line.line_id}: SKU {line.sku} has no {name}; add it to the catalogue and try again, or give up"
        )
    return found


def _half_up(numerator: int, denominator: int) -> int:
    """Quotient rounded to the nearest integer, halves up. Both at least 0."""
    return (2 * numerator + denominator) // (2 * denominator)
