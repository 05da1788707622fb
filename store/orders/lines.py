"""An order's lines with their frozen price, tags and catalogue records."""

from collections.abc import Mapping, Sequence

from domain.catalog.records import SkuRecord
from domain.order import SkuTags, StartOrder
from domain.records import NO_WAREHOUSE, Priced, PricedLine, Untagged
from domain.strict import of
from store.pool import Connection, Row

# All lines of an order at once, in their order.
INSERT = """
INSERT INTO order_lines (order_no, line_id, pos, sku, name, qty, unit_price_minor, gross_minor, discount_minor,
    coupon_minor, net_minor, freight_minor, paid_minor, weight_g, warehouse, supplier, logistics, customs,
    catalogue)
SELECT $1, u.* FROM unnest($2::text[], $3::int[], $4::text[], $5::text[], $6::int[], $7::bigint[], $8::bigint[],
    $9::bigint[], $10::bigint[], $11::bigint[], $12::bigint[], $13::bigint[], $14::bigint[], $15::text[], $16::text[],
    $17::text[], $18::text[], $19::jsonb[]) AS u"""

# The lines as they were priced.
READ = "SELECT * FROM order_lines WHERE order_no = $1 ORDER BY pos"


async def write_lines(
    connection: Connection, order: StartOrder, priced: Priced, records: Mapping[str, SkuRecord]
) -> None:
    """`records`: the catalogue's, by SKU, of those that it knows. A line without a warehouse is stored without one."""
    rows = [
        (
            *(line.line_id, pos, line.sku, given.name or "", line.qty, line.unit_price_minor, line.gross_minor),
            *(line.discount_minor, line.coupon_minor, line.net_minor, line.freight_minor, line.paid_minor),
            *(line.weight_g, None if line.tags.warehouse == NO_WAREHOUSE else line.tags.warehouse),
            *(line.tags.supplier, line.tags.logistics, line.tags.customs),
            records[line.sku].model_dump(mode="json") if line.sku in records else None,
        )
        for pos, (given, line) in enumerate(zip(order.lines, priced.lines, strict=True))
    ]
    await connection.execute(INSERT, order.order_no, *(list(column) for column in zip(*rows, strict=True)))


async def read_rows(connection: Connection, order_no: str) -> Sequence[Row]:
    return await connection.fetch(READ, order_no)


async def read_priced(connection: Connection, order_no: str) -> Priced:
    return priced_of(await read_rows(connection, order_no))


def priced_of(rows: Sequence[Row]) -> Priced:
    """The price as frozen at registration; later changes of the pricing code do not reach it."""
    lines = tuple(priced_line(row) for row in rows)
    return Priced(
        goods_gross_minor=sum(line.gross_minor for line in lines),
        line_discount_minor=sum(line.discount_minor for line in lines),
        coupon_minor=sum(line.coupon_minor for line in lines),
        goods_net_minor=sum(line.net_minor for line in lines),
        freight_minor=sum(line.freight_minor for line in lines),
        payable_minor=sum(line.paid_minor for line in lines),
        lines=lines,
    )


def untagged_of(rows: Sequence[Row]) -> tuple[Untagged, ...]:
    """Lines that wait for somebody to tag their SKU."""
    return tuple(Untagged(line_id=row["line_id"], sku=row["sku"]) for row in rows if row["warehouse"] is None)


def catalogue_of(rows: Sequence[Row]) -> dict[str, SkuRecord]:
    """The catalogue's records by line, as frozen at registration; lines whose SKU it did not know are left out."""
    return {row["line_id"]: of(SkuRecord, row["catalogue"]) for row in rows if row["catalogue"] is not None}


def priced_line(row: Row) -> PricedLine:
    return PricedLine(
        line_id=row["line_id"],
        sku=row["sku"],
        qty=row["qty"],
        unit_price_minor=row["unit_price_minor"],
        gross_minor=row["gross_minor"],
        discount_minor=row["discount_minor"],
        coupon_minor=row["coupon_minor"],
        net_minor=row["net_minor"],
        freight_minor=row["freight_minor"],
        paid_minor=row["paid_minor"],
        weight_g=row["weight_g"],
        tags=SkuTags(
            warehouse=row["warehouse"] or NO_WAREHOUSE,
            supplier=row["supplier"],
            logistics=row["logistics"],
            customs=row["customs"],
        ),
    )
