"""What must hold after every run: our books against the ledgers that the outside systems keep by themselves.

Each check returns the ids that break it; none means it holds. Names as in docs/requirements.md, section Invariants.
"""

from collections import Counter, defaultdict
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass, field
from typing import Any

import asyncpg
import httpx
from temporalio.client import Client

from bench.checks import ownership
from domain.ownership import OwnershipViolation

Row = Mapping[str, Any]
RANK = (
    "CREATED", "RISK_HOLD", "BACKORDER", "CUSTOMS_HOLD", "RELEASED", "PICKING", "PACKED", "SHIPPED", "IN_TRANSIT",
    "OUT_FOR_DELIVERY", "SIGNED",
)  # fmt: skip
CHANNELS = ("wechat", "alipay")
ORDERS = "WorkflowType = 'Order' AND ExecutionStatus != 'ContinuedAsNew'"
"""The latest run of each."""
LEFT_THE_WAREHOUSE = ("SHIPPED", "IN_TRANSIT", "OUT_FOR_DELIVERY", "SIGNED", "EXCEPTION", "REFUSED")


@dataclass
class World:
    """Everything the checks look at: our tables, the sandboxes' ledgers, the workflows."""

    orders: list[Row]
    children: list[Row]
    refunds: list[Row]
    stock: list[Row]
    moves: list[Row]
    events: list[Row]
    inbox: list[Row]
    repeats: Counter[str]
    ledgers: dict[str, list[Row]]
    ownerless: tuple[OwnershipViolation, ...] = ()
    workflows: dict[str, str] = field(default_factory=dict)
    """Order workflow id → status name."""


@dataclass(frozen=True)
class Finding:
    name: str
    rule: str
    looked_at: int
    broken: tuple[str, ...]

    @property
    def holds(self) -> bool:
        return not self.broken


async def look(database: "asyncpg.Pool[asyncpg.Record]", ledgers: Mapping[str, str], client: Client) -> World:
    """Reads the world as it is now. `ledgers`: sandbox name → its URL. Look only when everything has drained."""
    tables: dict[str, list[Row]] = {}
    for name, sql in {
        "orders": "SELECT * FROM orders",
        "children": "SELECT * FROM child_orders",
        "refunds": "SELECT * FROM refunds",
        "stock": "SELECT * FROM stock",
        "moves": "SELECT * FROM stock_moves",
        "events": "SELECT * FROM order_events ORDER BY id",
        "inbox": "SELECT id, source, event_id, state, note, facts, order_no FROM inbox WHERE via = 'callback'",
    }.items():
        tables[name] = [dict(r) for r in await database.fetch(sql)]
    repeats = await database.fetch(
        "SELECT i.source, count(*) AS n FROM inbox_repeats r JOIN inbox i ON i.id = r.inbox_id "
        "WHERE r.via = 'callback' GROUP BY 1"
    )
    async with httpx.AsyncClient(timeout=20) as http:
        books = {name: (await http.get(f"{url}/_ledger")).json() for name, url in ledgers.items()}
    workflows = {w.id: (w.status.name if w.status else "UNKNOWN") async for w in client.list_workflows(ORDERS)}
    return World(
        **tables,
        repeats=Counter({r["source"]: r["n"] for r in repeats}),
        ownerless=await ownership.violations(database),
        ledgers={name: rows["rows"] if isinstance(rows, dict) else rows for name, rows in books.items()},
        workflows=workflows,
    )


def check(world: World) -> list[Finding]:
    """All invariants, in order."""
    return [
        _finding("M1", "what the books say was paid is what the channel captured", len(world.orders), _m1(world)),
        _finding("M2", "no order gets back more than it paid", len(world.orders), _m2(world)),
        _finding("M3", "a refund happened at the channel once, just when we say so", len(world.refunds), _m3(world)),
        _finding("S1", "every unit received is somewhere", len(world.stock), _s1(world)),
        _finding("S2", "an ended order holds no stock", len(world.moves), _s2(world)),
        _finding("P1", "one booking a parcel, one order a waybill", len(world.children), _p1(world)),
        _finding("P2", "a parcel's state never falls", len(world.events), _p2(world)),
        _finding("P3", "nothing shipped that was cancelled", len(world.children), _p3(world)),
        _finding("Q1", "every acknowledged callback is in the inbox, and nothing else", len(world.inbox), _q1(world)),
        _finding("Q2", "every message has come to an end, none was applied twice", len(world.inbox), _q2(world)),
        _finding("W1", "open orders are running workflows, and none has failed", len(world.workflows), _w1(world)),
        _finding("O1", "every paid unit has one owner", len(world.orders), ownership.told(world.ownerless, units=True)),
        _finding("O2", "every fen has one owner", len(world.orders), ownership.told(world.ownerless, units=False)),
    ]  # fmt: skip


def _finding(name: str, rule: str, looked_at: int, broken: Iterable[str]) -> Finding:
    return Finding(name, rule, looked_at, tuple(broken))


def _sum(rows: Iterable[Row], op: str) -> dict[str, int]:
    total: dict[str, int] = defaultdict(int)
    for row in rows:
        if row["op"] == op:
            total[row["order_no"]] += row["amount_minor"] or 0
    return total


def _payments(w: World) -> list[Row]:
    """The journals of all payment channels: an order is paid through one of them."""
    return [row for channel in CHANNELS for row in w.ledgers.get(channel, ())]


def _m1(w: World) -> Iterable[str]:
    captured = _sum(_payments(w), "capture")
    for order in w.orders:
        if order["paid_minor"] != captured.get(order["order_no"], 0):
            yield f"{order['order_no']}: books {order['paid_minor']}, channel {captured.get(order['order_no'], 0)}"
    known = {o["order_no"] for o in w.orders}
    yield from (f"{no}: captured, unknown to the books" for no in captured if no not in known)


def _m2(w: World) -> Iterable[str]:
    rows = _payments(w)
    captured, refunded = _sum(rows, "capture"), _sum(rows, "refund")
    came_to_nothing = _sum([r for r in rows if r["op"] == "refund_end" and _failed(r)], "refund_end")
    for no, amount in refunded.items():
        if amount - came_to_nothing.get(no, 0) > captured.get(no, 0):
            yield f"{no}: refunded {amount - came_to_nothing.get(no, 0)} of {captured.get(no, 0)}"
    for order in w.orders:
        if order["refund_reserved_minor"] > order["paid_minor"]:
            yield f"{order['order_no']}: reserved {order['refund_reserved_minor']} of {order['paid_minor']}"


def _m3(w: World) -> Iterable[str]:
    rows = _payments(w)
    asked = Counter(r["key"] for r in rows if r["op"] == "refund")
    ends = [r for r in rows if r["op"] == "refund_end"]
    done = Counter(r["key"] for r in ends if r["data"]["status"] == "SUCCESS")
    # At Alipay a refund that failed is asked for again under its number.
    failed = Counter(r["key"] for r in ends if r["data"]["status"] == "FAILED")
    ours = {r["refund_no"]: r["status"] for r in w.refunds}
    yield from (f"{no}: {n} times at the channel" for no, n in asked.items() if n - failed[no] > 1)
    yield from (f"{no}: at the channel, not in our books" for no in asked if no not in ours)
    for no, status in ours.items():
        if (status == "SUCCEEDED") != (done[no] == 1):
            yield f"{no}: we say {status}, the channel finished it {done[no]} times"


def _failed(refund_end: Row) -> bool:
    return refund_end["data"]["status"] in ("CLOSED", "FAILED")


def _s1(w: World) -> Iterable[str]:
    moved: dict[tuple[str, str], Counter[str]] = defaultdict(Counter)
    for move in w.moves:
        moved[move["sku"], move["warehouse"]][move["kind"]] += move["qty"]
    for row in w.stock:
        m = moved[row["sku"], row["warehouse"]]
        expected = {
            "available": m["receive"] - m["reserve"] + m["release"] + m["grade_good"] - m["shrink"],
            "reserved": m["reserve"] - m["release"] - m["ship"] - m["write_off"],
            "shipped": m["ship"] - m["unship"] - m["freeze"] + m["unfreeze"],
            "frozen": m["freeze"] - m["unfreeze"] - m["grade_good"] - m["grade_minor"] - m["grade_scrap"],
            "second_hand": m["grade_minor"],
            "scrapped": m["unship"] + m["write_off"] + m["shrink"] + m["grade_scrap"],
        }
        for column, value in expected.items():
            if row[column] != value:
                yield f"{row['sku']}@{row['warehouse']}: {column} {row[column]}, moves say {value}"


def _s2(w: World) -> Iterable[str]:
    held: dict[str, Counter[tuple[str, str]]] = defaultdict(Counter)
    for move in w.moves:
        sign = {"reserve": 1, "release": -1, "ship": -1, "write_off": -1}.get(move["kind"], 0)
        held[move["ref"].partition("/")[0]][move["sku"], move["warehouse"]] += sign * move["qty"]
    ended = {o["order_no"] for o in w.orders if o["ended_at"] is not None}
    for child in w.children:
        if child["order_no"] in ended:
            for place, n in held[child["child_no"]].items():
                if n:
                    yield f"{child['child_no']}: {n} units of {place[0]} still reserved"


def _p1(w: World) -> Iterable[str]:
    carriers = [row for system in ("tms", "sf") for row in w.ledgers.get(system, ())]
    booked = Counter(r["key"] for r in carriers if r["op"] == "book")
    yield from (f"{no}: booked {n} times" for no, n in booked.items() if n > 1)
    waybills = Counter(c["waybill_no"] for c in w.children if c["waybill_no"])
    yield from (f"waybill {no}: {n} parcels" for no, n in waybills.items() if n > 1)


def _p2(w: World) -> Iterable[str]:
    highest: dict[str, int] = {}
    for event in w.events:
        if event["outcome"] != "APPLIED" or event["child_no"] is None or event["to_status"] not in RANK:
            continue
        rank = RANK.index(event["to_status"])
        if rank < highest.get(event["child_no"], 0):
            yield f"{event['child_no']}: fell to {event['to_status']} by {event['kind']}"
        highest[event["child_no"]] = max(rank, highest.get(event["child_no"], 0))


def _p3(w: World) -> Iterable[str]:
    shipped = {r["key"] for r in w.ledgers["qimen"] if r["op"] == "ship"}
    for child in w.children:
        if child["status"] == "CANCELLED" and child["child_no"] in shipped:
            yield f"{child['child_no']}: cancelled with us, shipped by the warehouse"
        if child["status"] in LEFT_THE_WAREHOUSE and child["child_no"] not in shipped:
            yield f"{child['child_no']}: {child['status']} with us, the warehouse has not shipped it"


def _q1(w: World) -> Iterable[str]:
    """Counted by source: one row or one repeat for every acknowledged attempt. An attempt whose acknowledgement was
    lost on the way may be in the inbox without the sender knowing, never the other way round."""
    for source, rows in w.ledgers.items():
        attempts = [r for r in rows if r["op"] == "callback_attempt"]
        acked = sum(1 for r in attempts if r["data"]["accepted"])
        stored = sum(1 for i in w.inbox if i["source"] == source) + w.repeats[source]
        if stored < acked:
            yield f"{source}: {acked} acknowledged, {stored} stored"
        if stored > len(attempts):
            yield f"{source}: {len(attempts)} sent, {stored} stored"


def _q2(w: World) -> Iterable[str]:
    unfinished = ("received", "delivered", "parked", "dead", "held")
    yield from (
        f"inbox {i['id']} ({i['source']}): {i['state']}, {i['note']}, {str(i['facts'])[:300]}"
        for i in w.inbox
        if i["state"] in unfinished
    )
    applied = Counter((e["order_no"], e["key"]) for e in w.events if e["outcome"] == "APPLIED")
    yield from (f"{no} {key}: applied {n} times" for (no, key), n in applied.items() if n > 1)


def _w1(w: World) -> Iterable[str]:
    for order in w.orders:
        status = w.workflows.get(f"order/{order['order_no']}", "ABSENT")
        if order["erased_at"] is not None and status == "ABSENT":
            continue  # its buyer was forgotten, and its history with them
        wanted = ("COMPLETED",) if order["ended_at"] is not None else ("RUNNING",)
        if status not in wanted:
            yield f"{order['order_no']}: {order['status']} in the books, workflow {status}"
    known = {f"order/{o['order_no']}" for o in w.orders}
    for workflow_id, status in w.workflows.items():
        if workflow_id not in known and status == "RUNNING":
            yield f"{workflow_id}: running, not in the books"


def report(findings: Sequence[Finding]) -> list[str]:
    """One line a check; broken ones with their first five ids."""
    lines = []
    for f in findings:
        lines.append(f"{'ok    ' if f.holds else 'BROKEN'} {f.name}  {f.rule} ({f.looked_at} looked at)")
        lines += [f"         {b}" for b in f.broken[:5]]
        if len(f.broken) > 5:
            lines.append(f"         … and {len(f.broken) - 5} more")
    return lines
