"""One visible change of a case, in one transaction: read model by rising seq, everything else once by its own key."""

from domain.outbound.published import ReturnStatusChanged
from domain.records import RefundRecord, TicketRecord
from domain.returns.enums import GOODS_COME_BACK, LET_GO, CaseStatus, ReturnType
from domain.returns.models import Parcel
from domain.returns.records import ReturnWrite
from store.audit.audit import append_entry, append_once
from store.errors import RefundChanged, TicketNotOpenYet
from store.inbox.fact_outcomes import record_after_end
from store.orders.payments import move_refund
from store.outbox import Before, Telling, lock_order, publish_refunds, publish_return, publish_ticket
from store.packages import LIFETIME, LOCK
from store.pool import Connection, Row, clean, to_json
from store.returns.claims import Claim, claimed, settle
from store.returns.errors import NoSuchReturn
from store.returns.stock_location import placed
from store.stock.ledger import apply_moves
from store.tickets.tickets import EXISTS, open_ticket, resolve_ticket

ORDER = "SELECT order_no FROM return_cases WHERE return_no = $1"

# A late write changes nothing; one of a task that is done again wins, whatever its seq (store/orders/writing.py).
UPDATE = """
UPDATE return_cases SET seq = $2, updated_at = $3, status = $4, reception = $5, acceptance = $6, waiting_for = $7,
    needs_attention = $8, sla_owner = $9, due_at = $10, close_reason = coalesce($11, close_reason),
    ended_at = CASE WHEN $12 THEN coalesce(ended_at, $3) ELSE ended_at END
WHERE return_no = $1 AND (updated_at, seq) <= ($3, $2)"""

CASE = """
SELECT order_no, type, status, held_minor, freed_at FROM return_cases WHERE return_no = $1 FOR NO KEY UPDATE"""

FREED = """
UPDATE return_cases SET held_minor = 0, freed_at = $2 WHERE return_no = $1"""

UNITS = """
INSERT INTO return_units AS u (return_no, line_id, unit, seq, written_at, reception, acceptance, grade)
SELECT $1, n.line_id, n.unit, $2, $3, n.reception, n.acceptance, n.grade
FROM unnest($4::text[], $5::int[], $6::text[], $7::text[], $8::text[])
    AS n (line_id, unit, reception, acceptance, grade)
ON CONFLICT (return_no, line_id, unit) DO UPDATE SET seq = excluded.seq, written_at = excluded.written_at,
    reception = excluded.reception, acceptance = excluded.acceptance, grade = coalesce(excluded.grade, u.grade)
    WHERE (u.written_at, u.seq) <= (excluded.written_at, excluded.seq)"""

# A linked case takes a waybill over from the closed one that it reopens.
TAKE_OVER = """
UPDATE return_parcels p SET return_no = $3 WHERE p.carrier = $1 AND p.waybill_no = $2
    AND p.return_no = (SELECT c.linked_to FROM return_cases c WHERE c.return_no = $3)
    AND NOT EXISTS (SELECT FROM return_parcels q WHERE q.carrier = $1 AND q.waybill_no = $2 AND q.return_no = $3)"""

PARCEL = """
INSERT INTO return_parcels (carrier, waybill_no, return_no, way, bound_at) VALUES ($1, $2, $3, $4, $5)
ON CONFLICT DO NOTHING"""

# The first two cases that have the number now.
FIRST = f"""
SELECT p.return_no FROM return_parcels p WHERE p.carrier = $1 AND p.waybill_no = $2
    AND p.bound_at > $3::timestamptz - interval '{LIFETIME}'
ORDER BY p.bound_at, p.return_no LIMIT 2"""  # noqa: S608 - our own constant

SCANS = """
INSERT INTO return_scans (return_no, scan_id, scanned, result, line_id, unit, grade, photos, by_whom, at)
VALUES ($1, $2, $3, $4, $5, $6, $7, $8, $9, $10) ON CONFLICT DO NOTHING"""

TIMELINE = """
INSERT INTO return_timeline (return_no, at, actor, role, action, from_status, to_status, detail, write_seq, write_pos)
SELECT $1, $2, u.actor, u.role, u.action, u.before, u.after, u.detail::jsonb, $3, u.pos
FROM unnest($4::text[], $5::text[], $6::text[], $7::text[], $8::text[], $9::text[])
    WITH ORDINALITY AS u (actor, role, action, before, after, detail, pos)
ON CONFLICT DO NOTHING"""

# Once per place in a write.
AUDITED = """
INSERT INTO return_audited (return_no, write_seq, write_pos) VALUES ($1, $2, $3) ON CONFLICT DO NOTHING
RETURNING write_pos"""

KNOWN = "SELECT order_no, return_no, amount_minor, status, seq, updated_at FROM refunds WHERE refund_no = $1"

# What really came back so far: a sum, so that telling it twice counts once.
REFUNDED = """
UPDATE return_cases SET refunded_minor = (SELECT coalesce(sum(amount_minor), 0) FROM refunds
    WHERE return_no = $1 AND status = 'SUCCEEDED') WHERE return_no = $1"""


async def apply_write(connection: Connection, write: ReturnWrite) -> None:
    """Inside a transaction. Repeating a write, or writing out of order, does no harm. The order's row is locked first,
    as everybody does who moves its money or units."""
    order_no = await connection.fetchval(ORDER, write.return_no)
    before = None if order_no is None else await lock_order(connection, order_no)
    if before is None:
        raise NoSuchReturn(write.return_no)
    case = await connection.fetchrow(CASE, write.return_no)
    assert case is not None, "a case is never deleted"
    if await _read_model(connection, write) and case["status"] != write.status:
        change = ReturnStatusChanged(
            order_no=order_no, seq=write.seq, return_no=write.return_no, return_type=ReturnType(case["type"]),
            from_status=CaseStatus(case["status"]), to_status=write.status,
        )  # fmt: skip
        await publish_return(connection, change, write.at)
    await _move_refunds(connection, write, order_no, before)
    if _releases(write.status) and case["freed_at"] is None and not _releases(CaseStatus(case["status"])):
        await _free(connection, case, write)
    await _goods(connection, write, order_no)
    await _tickets(connection, write, order_no)
    await _tell(connection, write)
    await record_after_end(connection, order_no, write.at, write.events, heard=True)
    # The audit chain last: its lock is shared by all orders.
    for pos, entry in enumerate(write.audit):
        if await connection.fetchval(AUDITED, write.return_no, write.seq, pos) is not None:
            await append_entry(connection, entry, write.at, order_no)
        else:  # done again: it may tell something else at this place
            await append_once(connection, entry, write.at, order_no)


async def _read_model(connection: Connection, write: ReturnWrite) -> bool:
    """False: it came late, and changes nothing."""
    updated: str = await connection.execute(
        UPDATE,
        *(write.return_no, write.seq, write.at, write.status, write.reception, write.acceptance),
        clean(write.waiting_for),
        *(write.needs_attention, write.sla_owner, write.due_at),
        None if write.close_reason is None else clean(write.close_reason),
        write.ended,
    )
    return updated == "UPDATE 1"


def _releases(status: CaseStatus) -> bool:
    """Ends that keep nothing of the order; an exchanged unit may come back again, since another one went out."""
    return status in LET_GO or status is CaseStatus.EXCHANGED


async def _free(connection: Connection, case: Row, write: ReturnWrite) -> None:
    claim = Claim(
        order_no=case["order_no"],
        holder=write.return_no,
        units=await claimed(connection, write.return_no),
        held_minor=case["held_minor"],
        goods_come_back=case["type"] in GOODS_COME_BACK,
    )
    await settle(connection, claim)
    await connection.execute(FREED, write.return_no, write.at)


async def _move_refunds(connection: Connection, write: ReturnWrite, order_no: str, before: Before) -> None:
    for refund in write.refunds:
        known = await connection.fetchrow(KNOWN, refund.refund_no)
        if known is None or (known["return_no"], known["amount_minor"]) != (write.return_no, refund.amount_minor):
            raise RefundChanged(refund.refund_no)
        await move_refund(connection, _telling(write, order_no), refund, known)
    if write.refunds:
        await connection.execute(REFUNDED, write.return_no)
        await publish_refunds(connection, _telling(write, order_no), before)


def _telling(write: ReturnWrite, order_no: str) -> Telling:
    latest: dict[str, RefundRecord] = {r.refund_no: r for r in write.refunds}
    return Telling(order_no=order_no, seq=write.seq, at=write.at, refunds=tuple(latest.values()))


async def _goods(connection: Connection, write: ReturnWrite, order_no: str) -> None:
    if write.units:
        await connection.execute(
            UNITS,
            *(write.return_no, write.seq, write.at),
            [u.line_id for u in write.units],
            [u.unit for u in write.units],
            [u.reception for u in write.units],
            [u.acceptance for u in write.units],
            [u.grade for u in write.units],
        )
    for parcel in sorted(write.parcels, key=lambda p: p.waybill_no):
        await _bind(connection, write, parcel, order_no)
    for s in write.scans:
        args = (s.scan_id, clean(s.scanned), s.result, s.line_id, s.unit, s.grade, list(s.photos), s.by, s.at)
        await connection.execute(SCANS, write.return_no, *args)
    await apply_moves(connection, await placed(connection, write.return_no, write.moves), write.at)


async def _bind(connection: Connection, write: ReturnWrite, parcel: Parcel, order_no: str) -> None:
    """One package may bring back goods of several cases, or the number is mistyped: a person is told once."""
    await connection.execute(LOCK, parcel.waybill_no)
    await connection.execute(TAKE_OVER, parcel.carrier, parcel.waybill_no, write.return_no)
    await connection.execute(PARCEL, parcel.carrier, parcel.waybill_no, write.return_no, parcel.way, write.at)
    sharing = [r["return_no"] for r in await connection.fetch(FIRST, parcel.carrier, parcel.waybill_no, write.at)]
    if len(sharing) < 2:
        return
    first, second = sharing
    ticket = TicketRecord(
        ticket_id=f"T-shared-{parcel.waybill_no}-{first}",
        system="return desk",
        step="shared package",
        error=f"waybill {parcel.waybill_no} of {parcel.carrier} was entered for {first} and for {second}: one "
        "package for both, or a mistyped number. Scans of it count for both",
        severity="info",
        actions=("give_up",),
        give_up_means="it is one package, or the right number has been entered",
    )
    await open_ticket(connection, ticket, order_no, write.at, outside=True)


async def _tickets(connection: Connection, write: ReturnWrite, order_no: str) -> None:
    for ticket in write.tickets:
        if await open_ticket(connection, ticket, order_no, write.at, outside=False):
            await publish_ticket(connection, ticket, order_no, write.at)
    for resolution in write.resolutions:
        resolved = await resolve_ticket(connection, resolution, write.at, outside=False)
        if not resolved and not await connection.fetchval(EXISTS, resolution.ticket_id):
            raise TicketNotOpenYet(resolution.ticket_id)


async def _tell(connection: Connection, write: ReturnWrite) -> None:
    if not write.timeline:
        return
    lines = write.timeline
    await connection.execute(
        TIMELINE,
        *(write.return_no, write.at, write.seq),
        [clean(t.actor) for t in lines],
        [t.role for t in lines],
        [clean(t.action) for t in lines],
        [t.from_status for t in lines],
        [t.to_status for t in lines],
        [to_json(t.detail) for t in lines],
    )
