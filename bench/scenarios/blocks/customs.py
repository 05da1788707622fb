"""`customs`: what each declaration owes and by which way it may go (R38)."""

from typing import Annotated, Any

from pydantic import Field

from bench.scenarios.document import Scenario, block, read
from bench.scenarios.plain_yaml import Malformed
from bench.scenarios.town import Town
from domain.catalog import CustomsMode
from domain.customs import Assessed, Declaration, DeclaredLine, LineTax, Parameters, UnableToAssess, assess
from domain.strict import Strict

Fen = Annotated[int, Field(ge=0)]
NO_LIMIT = 10**12


class LineIn(Strict):
    """Tariff and consumption tax that are not given are none; VAT and postal rate are needed where they are due."""

    line: str
    sku: str
    qty: Annotated[int, Field(ge=1)]
    net: Fen
    vat_bp: Fen | None = None
    ct_bp: Fen = 0
    tariff_bp: Fen = 0
    postal_bp: Fen | None = None


class DeclarationIn(Strict):
    id: str
    mode: CustomsMode
    annual_used: Fen = 0
    parcel_limit: Fen | None = None
    freight: Fen = 0
    lines: tuple[LineIn, ...]


class CustomsIn(Strict):
    """Limits that are given stand for the dated values; those that are not, are no limits."""

    single_limit: Fen = NO_LIMIT
    annual_limit: Fen = NO_LIMIT
    postal_exempt_tax: Fen = 0
    declarations: tuple[DeclarationIn, ...]


async def play(scenario: Scenario, _town: Town) -> Any:
    given = read(CustomsIn, block(scenario, "customs"), "input.customs")
    return [_declared(given, one) for one in given.declarations]


def _declared(given: CustomsIn, one: DeclarationIn) -> dict[str, Any]:
    message = {
        "valid_from": "2026-01-01",
        "single_limit_minor": given.single_limit,
        "annual_limit_minor": given.annual_limit,
        "postal_exempt_minor": given.postal_exempt_tax,
        "parcel_limit_minor": NO_LIMIT if one.parcel_limit is None else one.parcel_limit,
    }
    parameters = read(Parameters, message, "input.customs")
    declaration = Declaration(
        mode=one.mode,
        freight_minor=one.freight,
        lines=tuple(
            read(
                DeclaredLine,
                {
                    "line_id": line.line, "sku": line.sku, "qty": line.qty, "net_minor": line.net,
                    "vat_bp": line.vat_bp, "ct_bp": line.ct_bp, "tariff_bp": line.tariff_bp,
                    "postal_bp": line.postal_bp,
                },
                f"input.customs.{one.id}",
            )
            for line in one.lines
        ),
    )  # fmt: skip
    try:
        return _answer(one, assess(declaration, parameters, one.annual_used))
    except UnableToAssess as e:
        raise Malformed(f"input.customs.{one.id}: {e}") from None


def _answer(one: DeclarationIn, found: Assessed) -> dict[str, Any]:
    answer: dict[str, Any] = {
        "id": one.id,
        "dutiable": found.dutiable_minor,
        "decision": found.decision.value,
        "tax": found.tax_minor,
    }
    if not found.may_go:
        return answer
    if one.mode == "personal":
        return answer | {
            "assessed": found.assessed_minor,
            "lines": [{"line": line.line_id, "tax": line.postal_minor} for line in found.lines],
        }
    answer |= {
        "lines": [_line(line) for line in found.lines],
        "declared": {
            "product_fee": found.product_fee_minor,
            "transport_fee": found.transport_fee_minor,
            "order_fee": found.order_fee_minor,
        },
    }
    return answer | ({"annual_used_after": one.annual_used + found.dutiable_minor} if one.mode == "cbec" else {})


def _line(line: LineTax) -> dict[str, Any]:
    return {
        "line": line.line_id,
        "dutiable": line.dutiable_minor,
        "tariff": line.tariff_minor,
        "consumption_tax": line.consumption_tax_minor,
        "vat": line.vat_minor,
    }
