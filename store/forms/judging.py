"""What the shop's own forms say against an application, and what number its slip gets."""

from collections.abc import Iterable
from datetime import datetime

from domain.notices import SHANGHAI
from domain.returns.forms import FormBook, FormLine, FormRule, refusals
from domain.returns.models import ApplyReturn
from domain.returns.refusals import Code, Refusal
from store.automation.books import PublishedBook, book_at, newest_book
from store.pool import Connection, Pool

PLACED = "SELECT registered_at FROM orders WHERE order_no = $1"
LINES = """
SELECT line_id, sku, coalesce(logistics, '') AS logistics, coalesce(supplier, '') AS supplier FROM order_lines
WHERE order_no = $1 ORDER BY pos"""
NEXT = """
INSERT INTO slip_periods AS p (period, last) VALUES ($1, 1)
ON CONFLICT (period) DO UPDATE SET last = p.last + 1 RETURNING last"""
KEEP = "INSERT INTO slip_numbers (return_no, slip_no) VALUES ($1, $2) ON CONFLICT DO NOTHING"
SLIP = "SELECT slip_no FROM slip_numbers WHERE return_no = $1"


async def form_refusals(connection: Connection, application: ApplyReturn) -> tuple[Refusal, ...]:
    """Rights as they were when the order was placed; what is asked, as today."""
    now, placed = await newest_book(connection, "forms"), await connection.fetchval(PLACED, application.order_no)
    then = None if placed is None else await book_at(connection, "forms", placed)
    if now is None and not application.answers:
        return ()
    lines = await form_lines(connection, application.order_no)
    return refusals(application, {line.line_id: line for line in lines}, _read(then), _read(now))


async def form_lines(connection: Connection, order_no: str) -> tuple[FormLine, ...]:
    return tuple(FormLine(**dict(row)) for row in await connection.fetch(LINES, order_no))


async def current_forms(connection: Connection) -> FormBook:
    return _read(await newest_book(connection, "forms"))


async def give_slip_number(connection: Connection, return_no: str, at: datetime) -> None:
    """Inside the transaction that opens the case, where the forms say so."""
    slips = (await current_forms(connection)).slips
    if slips is not None:
        month = at.astimezone(SHANGHAI).strftime("%Y%m")
        n = await connection.fetchval(NEXT, slips.period(month))
        await connection.execute(KEEP, return_no, slips.number(month, n))


async def slip_number_of(pool: Pool, return_no: str) -> str | None:
    found: str | None = await pool.fetchval(SLIP, return_no)
    return found


async def rules_of_order(pool: Pool, order_no: str) -> tuple[FormRule, ...]:
    """Those that could be about one of its lines, whatever the kind of application."""
    async with pool.acquire() as connection:
        book, lines = await current_forms(connection), await form_lines(connection, order_no)
    return tuple(rule for rule in book.rules if any(rule.goods.are(line) for line in lines))


async def fields_asked(pool: Pool, application: ApplyReturn) -> frozenset[str]:
    """Ids of the fields that this very application has to fill in."""
    async with pool.acquire() as connection:
        book, lines = await current_forms(connection), await form_lines(connection, application.order_no)
    named = [line for line in lines if line.line_id in application.lines]
    return frozenset(one.id for one in book.fields_for(application.type, named))


def in_order(found: Iterable[Refusal]) -> tuple[Refusal, ...]:
    order_of = list(Code)
    return tuple(sorted(found, key=lambda r: (order_of.index(r.code), r.line_id or "")))


def _read(book: PublishedBook | None) -> FormBook:
    return FormBook() if book is None else book.read(FormBook)
