"""An order comes into the books: tags resolved, price frozen, policy kept. Refused, nothing changes."""

from collections.abc import Iterable, Mapping
from datetime import datetime

from domain import pricing
from domain.catalog.records import SkuRecord
from domain.order import SkuTags, StartOrder
from domain.policy import Policy
from domain.records import NO_WAREHOUSE, Priced, Registered, Untagged
from domain.strict import of
from store.errors import CurrencyNotAccepted, DuplicateOrder, InvalidOrder, NoSuchOrder, PayableMismatch, UnknownSku
from store.number_lock import serialize
from store.orders.lines import priced_of, read_rows, untagged_of, write_lines
from store.pool import Connection, Row
from store.rules.policies import VERSION, publish_defaults, read_current
from store.stock.catalog import records_of

# The order itself, with the rule set that counts now. Does nothing if its number, or the channel's, is taken.
INSERT = """
INSERT INTO orders (order_no, run_id, channel, channel_order_no, kind, buyer_id, start, currency, payable_minor,
    placed_at, pay_deadline, policy_version, registered_at, updated_at, rules_version)
VALUES ($1, $2, $3, $4, $5, $6, $7, $8, $9, $10, $11, $12, $13, $13, (SELECT max(version) FROM rule_sets))
ON CONFLICT DO NOTHING RETURNING order_no"""

# Who has the order number (another order, or a return: no start then) or the channel's; the same order number first.
TAKEN = """
SELECT * FROM (
    SELECT order_no, run_id, start, pay_deadline, policy_version FROM orders
    WHERE order_no = $1 OR (channel = $2 AND channel_order_no = $3)
    UNION ALL SELECT return_no, run_id, NULL, NULL, NULL FROM return_cases WHERE return_no = $1
) taken ORDER BY (order_no = $1) DESC LIMIT 1"""


async def register(connection: Connection, order: StartOrder, run_id: str, now: datetime) -> Registered:
    """Inside a transaction. The same run registering the same order again gets the same answer."""
    await serialize(connection, order.order_no)
    taken = await connection.fetchrow(TAKEN, order.order_no, order.channel, order.channel_order_no)
    if taken is not None:
        return await _again(connection, order, run_id, taken)
    policy = await read_current(connection) or await publish_defaults(connection)
    if order.currency not in policy.currencies:
        raise CurrencyNotAccepted(order.order_no, order.currency, policy.currencies)
    records = await records_of(connection, (line.sku for line in order.lines))
    tags, untagged = _tags(order, records)
    _refuse_unknown_places(order, policy, tags.values())
    priced = _price(order, tags)
    deadline = order.deadline(policy.flash_payment_timeout_s if order.kind == "flash" else policy.payment_timeout_s)
    if not await _insert(connection, order, run_id, policy, deadline, now):
        # Someone else was quicker, between the look and the insert, and can be seen now.
        return await register(connection, order, run_id, now)
    await write_lines(connection, order, priced, records)
    return Registered(
        order_no=order.order_no, priced=priced, policy=policy, pay_deadline=deadline, untagged=untagged,
        offers_at_once=True,
    )  # fmt: skip


async def read_start(connection: Connection, order_no: str) -> StartOrder:
    """The start message as it came. Raises `NoSuchOrder`."""
    start = await connection.fetchval("SELECT start FROM orders WHERE order_no = $1", order_no)
    if start is None:
        raise NoSuchOrder(order_no)
    return of(StartOrder, start)


async def _again(connection: Connection, order: StartOrder, run_id: str, taken: Row) -> Registered:
    if taken["order_no"] != order.order_no:
        raise DuplicateOrder(order.order_no, f"{order.channel} number {order.channel_order_no}", taken["order_no"])
    if taken["start"] is None:
        raise DuplicateOrder(order.order_no, "its number", f"{order.order_no}, which is a return")
    if taken["run_id"] != run_id or of(StartOrder, taken["start"]) != order:
        raise DuplicateOrder(order.order_no, "its number", f"{order.order_no} of run {taken['run_id']}")
    rows = await read_rows(connection, order.order_no)
    return Registered(
        order_no=order.order_no,
        priced=priced_of(rows),
        policy=of(Policy, await connection.fetchval(VERSION, taken["policy_version"])),
        pay_deadline=taken["pay_deadline"],
        untagged=untagged_of(rows),
        offers_at_once=True,
    )


def _tags(order: StartOrder, records: Mapping[str, SkuRecord]) -> tuple[Mapping[str, SkuTags], tuple[Untagged, ...]]:
    """By line: its own tags, else the catalogue's; and the lines whose SKU the catalogue knows without any, with
    everything but a warehouse. A SKU that it does not know is refused: most often it is misspelt."""
    if unknown := dict.fromkeys(line.sku for line in order.lines if line.tags is None and line.sku not in records):
        raise UnknownSku(order.order_no, unknown)
    tags: dict[str, SkuTags] = {}
    untagged: list[Untagged] = []
    for line in order.lines:
        found = line.tags or records[line.sku].tags
        if found is None:
            untagged.append(Untagged(line_id=line.line_id, sku=line.sku))
            r = records[line.sku]
            found = SkuTags(warehouse=NO_WAREHOUSE, supplier=r.supplier, logistics=r.logistics, customs=r.customs)
        tags[line.line_id] = found
    return tags, tuple(untagged)


def _refuse_unknown_places(order: StartOrder, policy: Policy, tags: Iterable[SkuTags]) -> None:
    """A misspelt class would make a parcel of its own, a misspelt warehouse one that nobody ever packs."""
    different = set(tags)
    logistics = sorted({t.logistics for t in different} - set(policy.logistics))
    known = {*policy.warehouses, NO_WAREHOUSE}
    warehouses = sorted({t.warehouse for t in different} - known) if policy.warehouses else []
    wrong = [
        f"the policy knows no {what} {', '.join(names)}, but {', '.join(all_of)}"
        for what, names, all_of in (
            ("logistics class", logistics, policy.logistics), ("warehouse", warehouses, policy.warehouses)
        )
        if names
    ]  # fmt: skip
    if wrong:
        raise InvalidOrder(
            f"order {order.order_no}: {'; '.join(wrong)}. Correct the tags of its lines or SKUs, or have the "
            "policy name it (`oms config policy`)"
        )


def _price(order: StartOrder, tags: Mapping[str, SkuTags]) -> Priced:
    try:
        priced = pricing.price(order, tags)
        pricing.check_payable(order, priced)
    except pricing.PayableMismatch as error:
        raise PayableMismatch(str(error)) from None
    except pricing.UnableToPrice as error:
        raise InvalidOrder(str(error)) from None
    return priced


async def _insert(
    connection: Connection, order: StartOrder, run_id: str, policy: Policy, deadline: datetime, now: datetime
) -> bool:
    inserted = await connection.fetchval(
        INSERT,
        order.order_no,
        run_id,
        order.channel,
        order.channel_order_no,
        order.kind,
        order.buyer.buyer_id,
        order.model_dump(mode="json"),
        order.currency,
        order.payable_minor,
        order.placed_at,
        deadline,
        policy.version,
        now,
    )
    return inserted is not None
