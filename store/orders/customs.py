"""Declarations: assessed under one lock a buyer, so that limits count together whoever is quicker (R38)."""

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import date, datetime
from zoneinfo import ZoneInfo

from domain.catalog.records import Tax
from domain.fulfilment.clearance import Assessment
from domain.fulfilment.customs import (
    Assessed,
    Declaration,
    DeclaredLine,
    Others,
    Parameters,
    UnableToAssess,
    assess,
    parameters_on,
)
from domain.order import StartOrder
from domain.records import AuditEntry
from domain.shares import take
from domain.states import ChildStatus
from domain.strict import of
from store.audit.audit import append_entry
from store.errors import NoSuchOrder
from store.orders.lines import catalogue_of, priced_of, read_rows
from store.pool import Connection, Pool, Row
from store.stock.catalog import records_of

SHANGHAI = ZoneInfo("Asia/Shanghai")

START = "SELECT start FROM orders WHERE order_no = $1"

# The order's children that cross the border in one way, with their units.
SIBLINGS = """
SELECT c.child_no, c.status, c.warehouse, c.paid_minor,
    array_agg(l.line_id ORDER BY l.line_id) AS line_ids, array_agg(l.first_unit ORDER BY l.line_id) AS firsts,
    array_agg(l.qty ORDER BY l.line_id) AS qtys
FROM child_orders c JOIN child_lines l USING (child_no)
WHERE c.order_no = $1 AND c.customs_mode = (SELECT customs_mode FROM child_orders WHERE child_no = $2)
GROUP BY c.child_no ORDER BY c.nn"""

MODE = "SELECT customs_mode FROM child_orders WHERE order_no = $1 AND child_no = $2"

# The buyer's year, locked until the transaction ends: declarations of one buyer queue here.
YEAR = """
INSERT INTO customs_years AS y (identity, year) VALUES ($1, $2)
ON CONFLICT (identity, year) DO UPDATE SET used_minor = y.used_minor RETURNING used_minor"""

# Counts against the year, or does nothing when the limit would be passed.
COUNT = """
UPDATE customs_years SET used_minor = used_minor + $3
WHERE identity = $1 AND year = $2 AND used_minor + $3 <= $4 RETURNING used_minor"""

GIVE_BACK = "UPDATE customs_years SET used_minor = used_minor - $3 WHERE identity = $1 AND year = $2"

# What the buyer has declared in other orders on one day.
SAME_DAY = """
SELECT coalesce(sum(dutiable_minor), 0)::bigint AS dutiable, coalesce(sum(assessed_minor), 0)::bigint AS assessed
FROM customs_declarations
WHERE identity = $1 AND day = $2 AND mode = $3 AND order_no <> $4 AND state IN ('ASSESSED', 'DECLARED')"""

KNOWN = "SELECT * FROM customs_declarations WHERE child_no = $1 FOR UPDATE"

KEEP = """
INSERT INTO customs_declarations (child_no, order_no, identity, day, mode, state, dutiable_minor, assessed_minor,
    tax_minor, counted_minor, parameters_from, assessment, why, changed_at)
VALUES ($1, $2, $3, $4, $5, $6, $7, $8, $9, $10, $11, $12, $13, $14)
ON CONFLICT (child_no) DO UPDATE SET (identity, day, state, dutiable_minor, assessed_minor, tax_minor, counted_minor,
    parameters_from, assessment, why, changed_at) = (excluded.identity, excluded.day, excluded.state,
    excluded.dutiable_minor, excluded.assessed_minor, excluded.tax_minor, excluded.counted_minor,
    excluded.parameters_from, excluded.assessment, excluded.why, excluded.changed_at)"""

DECLARED = """
UPDATE customs_declarations SET state = 'DECLARED', reference = $2, changed_at = $3
WHERE child_no = $1 AND state IN ('ASSESSED', 'DECLARED')"""

WITHDRAWN = (
    "UPDATE customs_declarations SET state = 'WITHDRAWN', counted_minor = 0, changed_at = $2 WHERE child_no = $1"
)

PUBLISHED = "SELECT DISTINCT ON (valid_from) parameters FROM customs_parameters ORDER BY valid_from, id DESC"

PUBLISH = """
INSERT INTO customs_parameters (valid_from, parameters, published_by, published_at) VALUES ($1, $2, $3, $4)"""

USED = "SELECT used_minor FROM customs_years WHERE identity = $1 AND year = $2"

LIST = """
SELECT child_no, order_no, mode, state, dutiable_minor, tax_minor, why, reference, day, changed_at
FROM customs_declarations WHERE ($1::text IS NULL OR state = $1) ORDER BY changed_at DESC LIMIT $2"""


@dataclass(frozen=True)
class KeptDeclaration:
    """`assessed` None: a rate was not known."""

    state: str
    assessed: Assessed | None


class CustomsStore:
    def __init__(self, pool: Pool) -> None:
        self._pool = pool

    async def assess(self, order_no: str, child_no: str, at: datetime) -> Assessment:
        """What the child owes, counted against the buyer's limits; a child that has been assessed stays so.

        Over a limit, or with a rate unknown, nothing is counted and `may_go` is False. Raises `NoSuchOrder`.
        """
        async with self._pool.acquire() as connection, connection.transaction():
            start = await connection.fetchval(START, order_no)
            mode = await connection.fetchval(MODE, order_no, child_no)
            if start is None or mode is None:
                raise NoSuchOrder(child_no)
            identity = of(StartOrder, start).buyer.identity
            day = at.astimezone(SHANGHAI).date()
            used = await connection.fetchval(YEAR, identity, day.year)
            known = await connection.fetchrow(KNOWN, child_no)
            if known is not None and known["state"] in ("ASSESSED", "DECLARED"):
                return _assessment(child_no, identity, of(Assessed, known["assessment"]))
            return await Declarations(connection, order_no, child_no, mode, identity, day, at).assess(used)

    async def declared(self, child_no: str, reference: str, at: datetime) -> None:
        """The channel has taken the declaration."""
        await self._pool.execute(DECLARED, child_no, reference, at)

    async def withdraw(self, child_no: str, at: datetime) -> None:
        """The child does not cross the border after all: what it counted is free again."""
        async with self._pool.acquire() as connection, connection.transaction():
            known = await connection.fetchrow(KNOWN, child_no)
            if known is None:
                return
            await connection.execute(GIVE_BACK, known["identity"], known["day"].year, known["counted_minor"])
            await connection.execute(WITHDRAWN, child_no, at)

    async def declaration(self, child_no: str) -> "KeptDeclaration | None":
        row = await self._pool.fetchrow(
            "SELECT state, assessment FROM customs_declarations WHERE child_no = $1", child_no
        )
        if row is None:
            return None
        return KeptDeclaration(row["state"], of(Assessed, row["assessment"]) if row["assessment"] else None)

    async def used(self, identity: str, at: datetime) -> int:
        """Of the annual limit, in the year of `at`."""
        return int(await self._pool.fetchval(USED, identity, at.astimezone(SHANGHAI).year) or 0)

    async def use(self, identity: str, at: datetime, used_minor: int) -> None:
        """What a buyer has used of a year elsewhere, before we knew of it."""
        year = at.astimezone(SHANGHAI).year
        async with self._pool.acquire() as connection, connection.transaction():
            await connection.fetchval(YEAR, identity, year)
            await connection.execute(GIVE_BACK, identity, year, -used_minor)

    async def list(self, state: str | None = None, limit: int = 100) -> Sequence[Row]:
        """Newest change first."""
        return await self._pool.fetch(LIST, state, limit)

    async def published(self) -> tuple[Parameters, ...]:
        async with self._pool.acquire() as connection:
            return await _published(connection)

    async def publish(self, parameters: Parameters, by: str, at: datetime) -> None:
        """From its day on these values count. Audited."""
        values = parameters.model_dump(mode="json")
        async with self._pool.acquire() as connection, connection.transaction():
            await connection.execute(PUBLISH, parameters.valid_from, values, by, at)
            await append_entry(connection, AuditEntry(actor=by, action="customs.publish", detail=values), at)


class Declarations:
    """One assessment inside its transaction."""

    def __init__(
        self, connection: Connection, order_no: str, child_no: str, mode: str, identity: str, day: date, at: datetime
    ) -> None:
        self._connection = connection
        self._order_no, self._child_no, self._mode = order_no, child_no, mode
        self._identity, self._day, self._at = identity, day, at

    async def assess(self, used: int) -> Assessment:
        try:
            parameters = parameters_on(self._day, await _published(self._connection))
            declarations = await self._declarations(parameters)
            mine = declarations.pop(self._child_no)
            found = assess(mine, parameters, used, await self._others(declarations, parameters))
        except UnableToAssess as error:
            await self._keep("HELD", None, 0, None, str(error))
            return Assessment(child_no=self._child_no, identity=self._identity, may_go=False, why=str(error))
        counted = found.dutiable_minor if found.may_go and self._mode == "cbec" else 0
        if counted:
            limit = parameters.annual_limit_minor
            kept = await self._connection.fetchval(COUNT, self._identity, self._day.year, counted, limit)
            assert kept is not None, "the year is locked and was looked at before"
        await self._keep("ASSESSED" if found.may_go else "HELD", found, counted, parameters.valid_from, found.why)
        return _assessment(self._child_no, self._identity, found)

    async def _declarations(self, parameters: Parameters) -> dict[str, Declaration]:
        """Of all children of the order that cross in this mode, whether they have been declared yet or not."""
        rows = await read_rows(self._connection, self._order_no)
        lines = {line.line_id: line for line in priced_of(rows).lines}
        taxes = {line_id: record.tax for line_id, record in catalogue_of(rows).items()}
        now = {sku: record.tax for sku, record in (await records_of(self._connection, _skus(rows))).items()}
        answer: dict[str, Declaration] = {}
        for child in await self._connection.fetch(SIBLINGS, self._order_no, self._child_no):
            if child["status"] == ChildStatus.CANCELLED and child["child_no"] != self._child_no:
                continue
            declared: list[DeclaredLine] = []
            for line_id, first, qty in zip(child["line_ids"], child["firsts"], child["qtys"], strict=True):
                line = lines[line_id]
                share = take(line, first, qty)
                # Frozen with the order; what the catalogue did not know then it may have learned.
                rates = _rates(taxes.get(line_id), now.get(line.sku))
                declared.append(
                    DeclaredLine(
                        line_id=line_id,
                        sku=line.sku,
                        qty=qty,
                        net_minor=share.net_minor,
                        freight_minor=share.freight_minor,
                        **rates,
                    )
                )
            near = child["warehouse"] in parameters.near_warehouses
            answer[child["child_no"]] = Declaration.model_validate(
                {"mode": self._mode, "lines": tuple(declared), "near": near}
            )
        return answer

    async def _others(self, siblings: dict[str, Declaration], parameters: Parameters) -> Others:
        day = await self._connection.fetchrow(SAME_DAY, self._identity, self._day, self._mode, self._order_no)
        assert day is not None
        dutiable, assessed = day["dutiable"], day["assessed"]
        for sibling in siblings.values():
            dutiable += sum(line.net_minor + (line.freight_minor or 0) for line in sibling.lines)
            if sibling.mode == "personal":  # only there a small tax is not collected
                assessed += assess(sibling, parameters).assessed_minor
        return Others(dutiable_minor=dutiable, assessed_minor=assessed)

    async def _keep(self, state: str, found: Assessed | None, counted: int, since: date | None, why: str) -> None:
        await self._connection.execute(
            KEEP,
            *(self._child_no, self._order_no, self._identity, self._day, self._mode, state),
            *(found.dutiable_minor if found else 0, found.assessed_minor if found else 0),
            *(found.tax_minor if found else None, counted, since),
            *(found.model_dump(mode="json") if found else None, why, self._at),
        )


async def _published(connection: Connection) -> tuple[Parameters, ...]:
    return tuple(of(Parameters, row["parameters"]) for row in await connection.fetch(PUBLISHED))


def _rates(*known: Tax | None) -> dict[str, int | None]:
    """Each rate from the first that knows it."""
    names = ("vat_bp", "ct_bp", "tariff_bp", "postal_bp")
    return {
        name: next((rate for tax in known if tax and (rate := getattr(tax, name)) is not None), None) for name in names
    }


def _skus(rows: Sequence[Row]) -> list[str]:
    return [row["sku"] for row in rows]


def _assessment(child_no: str, identity: str, found: Assessed) -> Assessment:
    return Assessment(
        child_no=child_no,
        identity=identity,
        may_go=found.may_go,
        why=f"{found.decision}: {found.why}" if found.why else "",
        decision=found.decision,
        tax_minor=found.tax_minor,
        product_fee_minor=found.product_fee_minor,
        transport_fee_minor=found.transport_fee_minor,
    )
