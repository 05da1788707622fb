"""`customs`: what each declaration owes and by which way it may go (R38)."""

from datetime import date
from typing import Annotated, Any

from pydantic import Field, ValidationError

from activities.customs import DeclareCall
from bench.scenarios.document import ByRule, Scenario, block, read
from bench.scenarios.environment import ScenarioEnvironment, ScenarioOrder, Servers
from bench.scenarios.plain_yaml import Malformed
from domain.catalog.records import CustomsMode, SkuRecord
from domain.facts import Fact, Kind
from domain.fulfilment.customs import Assessed, Declaration, DeclaredLine, LineTax, Parameters, UnableToAssess, assess
from domain.order import StartOrder
from domain.states import ChildStatus
from domain.strict import Strict, of
from store.orders.customs import SHANGHAI, CustomsStore
from store.stock.catalog import CatalogStore

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


FREE = "an order that costs nothing has no payment to declare"
INSIDE = "goods from inside the country meet no customs"
NOT_AN_ORDER = "production takes no order with these lines"


async def play(scenario: Scenario, servers: Servers) -> Any:
    """Each declaration as a paid order of one child: assessed, declared at the channel, held, released."""
    given = read(CustomsIn, block(scenario, "customs"), "input.customs")
    # What cannot be assessed is the file's fault, not the play's.
    by_rule = {one.id: _by_rule(given, one) for one in given.declarations}
    answers: list[dict[str, Any]] = []
    notes: list[str] = []
    async with servers.house() as house:
        for n, one in enumerate(given.declarations, 1):
            order = _order(one, n, house)
            if isinstance(order, str):
                notes.append(f"{one.id}: {order}")
                answers.append(_answer(one, by_rule[one.id], None))
            else:
                answers.append(await _played(house, given, one, order))
    return ByRule(answers, "; ".join(notes)) if notes else answers


def _order(one: DeclarationIn, n: int, house: ScenarioEnvironment) -> StartOrder | str:
    """The order whose only child is this declaration, or why there is none."""
    goods = sum(line.net for line in one.lines)
    if one.mode == "domestic":
        return INSIDE
    if goods + one.freight == 0:
        return FREE
    message = {
        "order_no": f"CUSTOMS-{n}", "channel": "scenario", "channel_order_no": f"CUSTOMS-{n}",
        "placed_at": house.now().isoformat(),
        "buyer": {"buyer_id": "buyer", "identity_ref": f"identity-{n}"},
        "address": {"recipient": "-", "phone": "10000000", "province": "-", "city": "-", "street": "-"},
        "lines": [_order_line(line, one.mode) for line in one.lines],
        "freight": [{"amount_minor": one.freight}] if one.freight else [],
        "payable_minor": goods + one.freight,
    }  # fmt: skip
    try:
        return of(StartOrder, message)
    except ValidationError:
        return NOT_AN_ORDER


def _order_line(line: LineIn, mode: str) -> dict[str, Any]:
    """A unit price may not divide the net: the rest is a discount."""
    unit = -(-line.net // line.qty)
    return {
        "line_id": line.line, "sku": line.sku, "qty": line.qty, "unit_price_minor": unit,
        "discount_minor": unit * line.qty - line.net, "tags": {"warehouse": "BONDED", "customs": mode},
    }  # fmt: skip


async def _played(
    house: ScenarioEnvironment, given: CustomsIn, one: DeclarationIn, order: StartOrder
) -> dict[str, Any]:
    books, at = CustomsStore(house.pool), house.now()
    await books.publish(_parameters(given, one, at.astimezone(SHANGHAI).date()), "scenarios", at)
    await books.use(order.buyer.identity, at, one.annual_used)
    await CatalogStore(house.pool).put([_record(line, one.mode) for line in one.lines], "scenarios", at)
    for line in order.lines:
        await house.receive(line.sku, "BONDED", line.qty, of=order.order_no)
    life = await ScenarioOrder.place(house, order)
    await life.pay()
    child = life.child_no(1)
    kept = await books.declaration(child)
    held = (await life.detail()).children[0]["status"]
    assert kept is not None and kept.assessed is not None, f"{child} was not assessed"
    assert held == ChildStatus.CUSTOMS_HOLD, f"{child} is {held}, not held at customs"
    call = house.systems.declared.get(child)
    if kept.assessed.may_go:
        assert call is not None, f"{child} was not declared"
        await house.deliver(
            Fact(
                key=f"broker:{child}:CUSTOMS_RELEASED", kind=Kind.CUSTOMS_RELEASED, source="broker",
                occurred_at=house.now(), child_no=child,
            )
        )  # fmt: skip
        assert child in house.systems.pushed, f"{child} was released by customs and has not gone to its warehouse"
    else:
        tickets = await house.tickets.list(state="open", order_no=order.order_no)
        assert [t.step for t in tickets if t.system == "customs"] == ["limit"], f"{child}: nobody was asked"
    return _answer(one, kept.assessed, call, used=await books.used(order.buyer.identity, at))


def _record(line: LineIn, mode: CustomsMode) -> SkuRecord:
    rates = {"vat_bp": line.vat_bp, "ct_bp": line.ct_bp, "tariff_bp": line.tariff_bp, "postal_bp": line.postal_bp}
    record = {"sku": line.sku, "ship_from": ("BONDED",), "customs": mode, "tax": rates}
    return SkuRecord.model_validate(record)


def _parameters(given: CustomsIn, one: DeclarationIn, since: date) -> Parameters:
    return Parameters(
        valid_from=since,
        single_limit_minor=given.single_limit,
        annual_limit_minor=given.annual_limit,
        postal_exempt_minor=given.postal_exempt_tax,
        parcel_limit_minor=NO_LIMIT if one.parcel_limit is None else one.parcel_limit,
    )


def _by_rule(given: CustomsIn, one: DeclarationIn) -> Assessed:
    lines = tuple(
        read(
            DeclaredLine,
            {"line_id": line.line, "net_minor": line.net, **line.model_dump(exclude={"line", "net"})},
            f"input.customs.{one.id}",
        )
        for line in one.lines
    )
    declaration = read(
        Declaration,
        {"mode": one.mode, "freight_minor": one.freight, "lines": [line.model_dump() for line in lines]},
        f"input.customs.{one.id}",
    )
    try:
        return assess(declaration, _parameters(given, one, date(2026, 1, 1)), one.annual_used)
    except UnableToAssess as e:
        raise Malformed(f"input.customs.{one.id}: {e}") from None


def _answer(one: DeclarationIn, found: Assessed, call: DeclareCall | None, used: int | None = None) -> dict[str, Any]:
    """`call`: the declaration as the channel got it; `used`: of the annual limit, as the books have it."""
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
    declared = call or found
    answer |= {
        "lines": [_line(line) for line in found.lines],
        "declared": {
            "product_fee": declared.product_fee_minor,
            "transport_fee": declared.transport_fee_minor,
            "order_fee": declared.order_fee_minor,
        },
    }
    if one.mode == "cbec":
        answer["annual_used_after"] = one.annual_used + found.dutiable_minor if used is None else used
    return answer


def _line(line: LineTax) -> dict[str, Any]:
    return {
        "line": line.line_id,
        "dutiable": line.dutiable_minor,
        "tariff": line.tariff_minor,
        "consumption_tax": line.consumption_tax_minor,
        "vat": line.vat_minor,
    }
