"""A payment turns an order into children: shares frozen, stock reserved, split stored. All or nothing."""

from domain.fulfilment.explanation import explain
from domain.fulfilment.planning import plan
from domain.insight.risk import features_of
from domain.policy import Policy
from domain.records import ChildPlan, OrderWrite, Priced, Settled, SettlePayment, StockMove
from domain.shares import freeze
from domain.states import ChildStatus
from store.dispatch.buyer_history import buyer_history
from store.dispatch.deadlines import promise
from store.errors import AlreadySettled, NoSuchOrder, NotTaggedYet, PaymentDoesNotFit
from store.insight.risk_models import keep_features, model_in_force
from store.orders.children import insert_children, read_children
from store.orders.lines import catalogue_of, priced_of, read_rows, untagged_of
from store.orders.plans import keep_explanation, plan_inputs
from store.orders.query_plans import replan_statements
from store.orders.writing import apply_write
from store.pool import Connection
from store.stock.ledger import apply_moves, reservation

# Everything that a settlement has to agree with. The lock makes writes of one order queue.
LOCK = "SELECT currency, payable_minor FROM orders WHERE order_no = $1 FOR NO KEY UPDATE"

# Whether this very payment is booked for the order.
BOOKED = "SELECT EXISTS (SELECT FROM payments WHERE key = $1 AND order_no = $2)"

# The unit shares of all lines.
FREEZE = """
INSERT INTO unit_shares (order_no, line_id, first_unit, units, net_minor, freight_minor)
SELECT $1, u.* FROM unnest($2::text[], $3::int[], $4::int[], $5::bigint[], $6::bigint[]) AS u"""


async def settle(connection: Connection, message: SettlePayment) -> Settled:
    """Inside a transaction. The same payment settling again gets the same children."""
    write = message.write
    await _check(connection, write)
    created: tuple[ChildPlan, ...] = ()
    children = await read_children(connection, write.order_no)
    if children:
        key = write.payment.key if write.payment else None
        if key is not None and not await connection.fetchval(BOOKED, key, write.order_no):
            raise AlreadySettled(write.order_no, key)
    else:
        children = created = await _split(connection, write, message.policy)
    await apply_write(connection, write, created)
    paid_at = write.payment.paid_at if write.payment else write.at
    await promise(connection, write.order_no, paid_at, message.policy)
    history = await buyer_history(connection, write.order_no, paid_at)
    if message.traits is not None:
        await keep_features(connection, write.order_no, paid_at, features_of(history, message.traits))
    return Settled(children=children, history=history, risk_model=await model_in_force(connection))


async def _check(connection: Connection, write: OrderWrite) -> None:
    order = await connection.fetchrow(LOCK, write.order_no)
    if order is None:
        raise NoSuchOrder(write.order_no)
    payment = write.payment
    paid = (payment.amount_minor, payment.currency) if payment else (0, order["currency"])
    if paid != (order["payable_minor"], order["currency"]):
        raise PaymentDoesNotFit(
            f"order {write.order_no} costs {order['payable_minor']} {order['currency']}, paid were {paid[0]} {paid[1]} "
            "(minor units); nothing was booked, a person has to look"
        )


async def _split(connection: Connection, write: OrderWrite, policy: Policy) -> tuple[ChildPlan, ...]:
    rows = await read_rows(connection, write.order_no)
    if waiting := untagged_of(rows):
        raise NotTaggedYet(write.order_no, (line.line_id for line in waiting))
    priced = priced_of(rows)
    shares = [share for line in priced.lines for share in freeze(line)]
    await replan_statements(connection, len(shares))
    await connection.execute(
        FREEZE,
        write.order_no,
        [s.line_id for s in shares],
        [s.first_unit for s in shares],
        [s.units for s in shares],
        [s.net_minor for s in shares],
        [s.freight_minor for s in shares],
    )
    inputs = await plan_inputs(connection, write.order_no, priced, catalogue_of(rows), policy)
    planned = plan(inputs)
    await keep_explanation(connection, explain(inputs, planned), write.at)
    await insert_children(connection, write, planned.children)
    await apply_moves(connection, _reservations(priced, planned.children), write.at)
    return planned.children


def _reservations(priced: Priced, plans: tuple[ChildPlan, ...]) -> list[StockMove]:
    """Exactly what the split did not put on backorder."""
    skus = {line.line_id: line.sku for line in priced.lines}
    return [
        reservation(plan.child_no, line_id, skus[line_id], plan.warehouse, qty)
        for plan in plans
        if plan.status is not ChildStatus.BACKORDER
        for line_id, qty in plan.lines.items()
    ]
