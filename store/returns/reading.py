"""Cases as people read them: one story for all roles."""

from domain.returns.enums import Acceptance, CaseStatus, Grade, Reception
from domain.returns.models import (
    Actor,
    Admitted,
    ApplyReturn,
    CaseUnit,
    Parcel,
    ReturnView,
    TimelineLine,
)
from domain.strict import of
from store.pool import Connection, Row

GET = "SELECT * FROM return_cases WHERE return_no = $1"

# Newest first, narrowed down by what is given.
LIST = """
SELECT * FROM return_cases
WHERE ($1::text IS NULL OR order_no = $1) AND ($2::text IS NULL OR status = $2)
ORDER BY applied_at DESC, return_no DESC LIMIT $3"""

UNITS = "SELECT line_id, unit, reception, acceptance, grade FROM return_units WHERE return_no = $1 ORDER BY 1, 2"

PARCELS = "SELECT carrier, waybill_no, way FROM return_parcels WHERE return_no = $1 ORDER BY bound_at, waybill_no"

TIMELINE = """
SELECT at, actor, role, action, from_status, to_status, detail FROM return_timeline WHERE return_no = $1
ORDER BY write_seq, write_pos, id LIMIT 5000"""

# The newest case that a waybill was bound to.
BY_WAYBILL = """
SELECT return_no FROM return_parcels WHERE waybill_no = $2
ORDER BY (carrier = $1) IS TRUE DESC, bound_at DESC LIMIT 1"""


async def view(connection: Connection, return_no: str) -> ReturnView | None:
    row = await connection.fetchrow(GET, return_no)
    return None if row is None else await _view(connection, row, with_story=True)


async def page(
    connection: Connection, order_no: str | None, status: CaseStatus | None, limit: int
) -> tuple[ReturnView, ...]:
    rows = await connection.fetch(LIST, order_no, status, limit)
    return tuple([await _view(connection, row, with_story=False) for row in rows])


async def _view(connection: Connection, row: Row, *, with_story: bool) -> ReturnView:
    number = row["return_no"]
    application, admitted = of(ApplyReturn, row["application"]), of(Admitted, row["admitted"])
    story = await connection.fetch(TIMELINE, number) if with_story else []
    return ReturnView(
        return_no=number,
        order_no=row["order_no"],
        type=admitted.type,
        status=CaseStatus(row["status"]),
        reception=Reception(row["reception"]),
        acceptance=Acceptance(row["acceptance"]),
        waiting_for=row["waiting_for"],
        needs_attention=row["needs_attention"],
        sla_owner=row["sla_owner"],
        due_at=row["due_at"],
        channel=row["channel"],
        applied_by=Actor(**dict(application.actor)),
        reason=application.reason,
        fault=application.fault,
        currency=admitted.currency,
        quote=admitted.quote,
        route=admitted.route,
        refunded_minor=row["refunded_minor"],
        units=tuple(_unit(u) for u in await connection.fetch(UNITS, number)) if with_story else (),
        replacements=application.replacements,
        evidence=application.evidence,
        parcels=tuple(Parcel(**p) for p in await connection.fetch(PARCELS, number)) if with_story else (),
        linked_to=row["linked_to"],
        close_reason=row["close_reason"],
        applied_at=row["applied_at"],
        ended_at=row["ended_at"],
        timeline=tuple(_line(line) for line in story),
    )


def _unit(row: Row) -> CaseUnit:
    return CaseUnit(
        line_id=row["line_id"],
        unit=row["unit"],
        reception=Reception(row["reception"]),
        acceptance=Acceptance(row["acceptance"]),
        grade=None if row["grade"] is None else Grade(row["grade"]),
    )


def _line(row: Row) -> TimelineLine:
    statuses = {name: CaseStatus(row[name]) for name in ("from_status", "to_status") if row[name] is not None}
    return TimelineLine(**{**dict(row), **statuses})
