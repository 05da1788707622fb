"""The built-in tables change nothing: every order is divided as by its policy alone."""

from hypothesis import given, settings
from hypothesis import strategies as st

from domain.fulfilment.planning import AvailableStock, PlanInputs, plan
from domain.order import StartOrder
from domain.policy import Dimension
from domain.pricing import price
from domain.rules.decision import without_rules
from domain.rules.engine import decide
from domain.rules.question import Head, question_of
from domain.rules.tables import DIMENSIONS
from store.rules.defaults import built_in
from tests.domain.orders import orders, tags_of


@settings(max_examples=80, deadline=None)
@given(orders(), st.permutations(DIMENSIONS), st.lists(st.integers(0, 3), min_size=8, max_size=8), st.booleans())
def test_every_order_is_planned_as_without_rules(
    start: StartOrder, priority: list[Dimension], there: list[int], several: bool
) -> None:
    priced = price(start, tags_of(start))
    places: dict[str, tuple[str, ...]] = {}
    if several:
        places = {line.line_id: (line.tags.warehouse, "WH-9") for line in priced.lines}
    stock = {
        (line.sku, w): there[(n + len(w)) % 8]
        for n, line in enumerate(priced.lines)
        for w in places.get(line.line_id, (line.tags.warehouse,))
    }
    head = Head(start.channel, start.kind, start.currency, "CN", "Zhejiang", "Hangzhou", "")
    order = tuple(priority)
    ruled = decide(built_in(), question_of(head, priced, {}, {**places}, stock, order))
    inputs = PlanInputs(
        order_no=start.order_no,
        priced=priced,
        decision=without_rules(order, (line.line_id for line in priced.lines)),
        candidates=places,
        stock=tuple(AvailableStock(sku=sku, warehouse=w, available=count) for (sku, w), count in sorted(stock.items())),
        province="Zhejiang",
        city="Hangzhou",
    )
    assert plan(inputs.model_copy(update={"decision": ruled})).children == plan(inputs).children
