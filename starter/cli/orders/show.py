"""`oms order show`: one order with its parcels, money, timeline and open questions."""

from collections.abc import Mapping
from dataclasses import dataclass, replace
from typing import Annotated, Any

import typer

from domain.returns.models import ReturnView
from starter.cli import output
from starter.cli.connections import database
from starter.cli.errors import CommandFailed, run
from starter.cli.language import happened, state, waits
from starter.cli.options import By, Json, actor
from starter.cli.reading import personal_data_is_read
from starter.cli.text import money
from starter.text.marking import N_
from store.dispatch.holds import HoldRow
from store.orders.detail import OrderDetail, TimelineEntry
from store.orders.orders import OrderStore
from store.orders.pages import OrderFilter
from store.returns import ReturnStore
from store.tickets.tickets import TicketRow, TicketStore

SHOWN = 10
"""Orders that are named when several fit."""


@dataclass(frozen=True)
class OrderShown:
    detail: OrderDetail
    timeline: tuple[TimelineEntry, ...]
    tickets: tuple[TicketRow, ...]
    returns: tuple[ReturnView, ...] = ()


def show(
    number: Annotated[
        str,
        typer.Argument(
            metavar="NO",
            help="Number of order, parcel, waybill, return, refund or payment; a buyer; end of a phone.",
        ),
    ],
    personal: Annotated[
        bool, typer.Option("--personal", help="With name, phone and address; that you have looked is kept.")
    ] = False,
    by: By = None,
    json: Json = False,
) -> None:
    """Show an order: parcels with reasons and waybills, money, what happened when, and open tickets.

    Examples:

        oms order show SO2603020101

        oms order show SO2603020101-02 --json

        oms order show SO2603020101 --personal
    """
    shown = run(_read(number, personal, by))
    if json:
        output.as_json(shown)
    else:
        _print(shown)


async def _read(number: str, personal: bool, by: str | None) -> OrderShown:
    async with database() as pool:
        store = OrderStore(pool)
        # Postgres text cannot hold NUL; nothing with one has ever been stored.
        detail = None if "\x00" in number else await store.view(number) or await _searched(store, number)
        if detail is None:
            raise CommandFailed(f"nothing is known under {number!r}; look with `oms order list`.")
        order_no = detail.order.order_no
        tickets = await TicketStore(pool).list(state=None, order_no=order_no)
        if personal:
            await personal_data_is_read(pool, actor(by), "address", number, order_no)
        else:
            detail = _without_names(detail)
        returns = await ReturnStore(pool).list(order_no=order_no)
        return OrderShown(detail, await store.timeline(order_no), tickets, returns)


async def _searched(store: OrderStore, number: str) -> OrderDetail | None:
    """The one order that has it in any other way. Raises `CommandFailed` for several."""
    found = (await store.list(OrderFilter(search=number.strip()), limit=SHOWN + 1)).orders
    if len(found) > 1:
        numbers = ", ".join(order.order_no for order in found[:SHOWN])
        more = " and more" if len(found) > SHOWN else ""
        raise CommandFailed(f"{number!r} fits several orders: {numbers}{more}. Show one by its number.")
    return await store.view(found[0].order_no) if found else None


def _without_names(detail: OrderDetail) -> OrderDetail:
    """As far as a city."""
    children = tuple({**child, "address": child["address"] and _place(child["address"])} for child in detail.children)
    return replace(detail, address=_place(detail.address), children=children)


def _place(address: Mapping[str, Any]) -> dict[str, Any]:
    return {name: address[name] for name in ("province", "city") if address.get(name)}


def _print(shown: OrderShown) -> None:
    _head(shown.detail)
    _parcels(shown.detail)
    _lines(shown.detail)
    _holds(shown.detail)
    _money(shown.detail)
    _returns(shown.returns)
    _timeline(shown.timeline)
    _tickets(shown.tickets)


def _head(detail: OrderDetail) -> None:
    order, address = detail.order, detail.address
    place = " ".join(str(address[k]) for k in ("province", "city", "district", "street") if address.get(k))
    output.facts(
        [
            ("order", f"{order.order_no} ({order.channel} {order.channel_order_no})"),
            ("status", N_(f"{state('order', order.status)}, payment {state('payment', order.payment_status)}")),
            ("waits for", waits(order.waiting_for)),
            ("needs a person", N_("yes") if order.needs_attention else ""),
            ("payable", money(order.payable_minor, order.currency)),
            ("paid", money(order.paid_minor, order.currency) if order.paid_minor else ""),
            ("refunded", money(order.refunded_minor, order.currency) if order.refunded_minor else ""),
            ("pay code", order.payment_code if order.payment_status == "CREATED" else ""),
            ("placed", order.placed_at),
            ("pay until", order.pay_deadline if order.paid_at is None else None),
            ("to", ", ".join(word for word in (str(address.get("recipient", "")), place) if word)),
            ("updated", order.updated_at),
        ]
    )


def _parcels(detail: OrderDetail) -> None:
    rows = [
        (
            child["child_no"],
            state("child", child["status"]),
            child["warehouse"],
            " ".join(f"{line}×{qty}" for line, qty in (child["lines"] or {}).items()),
            _reasons(child),
            money(child["planned_minor"], detail.order.currency),
            " ".join(str(k) for k in (child["carrier"] or child["planned_carrier"], child["waybill_no"]) if k),
            child["shipped_at"],
            child["signed_at"],
        )
        for child in detail.children
    ]
    columns = ("parcel", "status", "from", "units", "split because", "worth", "waybill", "shipped", "signed")
    output.table("Parcels", columns, rows, empty="not split yet (an order is split when it is paid)")
    for child in detail.children:
        if note := _became(child):
            output.line(f"{child['child_no']}: {note}")


def _became(child: Mapping[str, Any]) -> str:
    """What people have changed about it, with their remark: both sides of the change show it."""
    said = child["replan"] or {}
    if child["replaced_by"]:
        return f"{said.get('because')}: ships as {', '.join(child['replaced_by'])} ({said.get('remark')})"
    if child["address"]:
        return "goes to the address before the change"
    if child["replaces"]:
        return f"{said.get('because')}: instead of {', '.join(child['replaces'])} ({said.get('remark')})"
    return ""


def _reasons(child: Mapping[str, Any]) -> str:
    return ", ".join(f"{r['dim']}={r['value']}" for r in child["reasons"]) or N_("one parcel")


def _lines(detail: OrderDetail) -> None:
    rows = [
        (line["line_id"], line["sku"], line["name"], line["qty"], money(line["paid_minor"], detail.order.currency))
        for line in detail.lines
    ]
    output.table("Lines", ("line", "sku", "name", "units", "to pay with freight"), rows)


def _holds(detail: OrderDetail) -> None:
    rows = [
        (
            h.hold_id, state("hold", h.kind), h.child_no or N_("the order"), h.reason, h.placed_by, h.placed_at,
            _ending(h),
            " ".join(h.stopped), " ".join(h.too_late),
        )
        for h in detail.holds
    ]  # fmt: skip
    if rows:
        output.table("Holds", ("hold", "about", "on", "why", "by", "since", "end", "stopped", "too late"), rows)


def _ending(hold: HoldRow) -> str:
    if hold.ending:
        return state("hold_end", hold.ending)
    return N_(f"until {hold.ends_at.isoformat(timespec='minutes')}") if hold.ends_at else N_("open")


def _money(detail: OrderDetail) -> None:
    currency = detail.order.currency
    rows = [
        (N_("payment"), p["transaction_id"], money(p["amount_minor"], p["currency"]), "", p["paid_at"])
        for p in detail.payments
    ]
    rows += [
        (
            N_("refund"),
            r["refund_no"],
            money(r["amount_minor"], currency),
            f"{state('refund', r['status'])}: {r['reason']}",
            r["updated_at"],
        )
        for r in detail.refunds
    ]
    if rows:
        output.table("Money", ("what", "number", "amount", "state", "at"), rows)


def _returns(returns: tuple[ReturnView, ...]) -> None:
    rows = [
        (r.return_no, state("return_type", r.type), state("case", r.status), sum(line.units for line in r.quote.lines),
         waits(r.waiting_for))
        for r in returns
    ]  # fmt: skip
    if rows:
        output.table("Returns", ("return", "type", "status", "units", "waits for"), rows)


def _timeline(entries: tuple[TimelineEntry, ...]) -> None:
    rows: list[tuple[object, ...]] = []
    times = 1
    for e in entries:
        move = _move(e) if e.from_status != e.to_status else ""
        told = (e.what, state("event", e.title), e.child_no or "", e.result or "", move, e.by, e.note)
        # What comes again and again is one line, with its first time and how often.
        if rows and rows[-1][1:7] == told[:6] and str(rows[-1][7]).partition(" (× ")[0] == told[6]:
            times += 1
            rows[-1] = (*rows[-1][:7], f"{told[6]} (× {times})")
        else:
            times = 1
            rows.append((e.at, *told))
    output.table("Timeline", ("at", "what", "which", "parcel", "result", "state", "by", "note"), rows)


def _move(entry: TimelineEntry) -> str:
    kind = "child" if entry.child_no else "order"
    return f"{state(kind, entry.from_status or '')} → {state(kind, entry.to_status)}"


def _tickets(tickets: tuple[TicketRow, ...]) -> None:
    rows = [
        (t.ticket_id, state("severity", t.severity), f"{t.system}: {t.step}", happened(t.error))
        for t in tickets
        if t.state == "open"
    ]
    if rows:
        output.table("Open tickets", ("ticket", "severity", "step", "error"), rows)
        output.line("Answer with `oms ticket resolve ID --retry | --result JSON | --give-up --remark TEXT`.")
