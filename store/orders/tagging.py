"""Lines of SKUs that the catalogue knew without tags: looked up again when somebody has tagged them (R25)."""

from domain.records import Retagged
from store.errors import NoSuchOrder
from store.orders.lines import priced_of, read_rows, untagged_of
from store.pool import Connection
from store.stock.catalog import records_of

LOCK = "SELECT order_no FROM orders WHERE order_no = $1 FOR NO KEY UPDATE"

# The lines that have waited; their whole catalogue record is frozen now.
TAG = """
UPDATE order_lines l SET warehouse = u.warehouse, supplier = u.supplier, logistics = u.logistics, customs = u.customs,
    catalogue = u.catalogue
FROM unnest($2::text[], $3::text[], $4::text[], $5::text[], $6::text[], $7::jsonb[])
    AS u (line_id, warehouse, supplier, logistics, customs, catalogue)
WHERE l.order_no = $1 AND l.line_id = u.line_id AND l.warehouse IS NULL"""


async def retag(connection: Connection, order_no: str) -> Retagged:
    """Inside a transaction. Lines with tags keep them, whatever the catalogue says now. Raises `NoSuchOrder`."""
    if await connection.fetchval(LOCK, order_no) is None:
        raise NoSuchOrder(order_no)
    waiting = untagged_of(await read_rows(connection, order_no))
    records = await records_of(connection, (line.sku for line in waiting))
    found = [(line.line_id, records[line.sku]) for line in waiting if line.sku in records]
    tagged = [(line_id, record, record.tags) for line_id, record in found if record.tags is not None]
    columns = (
        [line_id for line_id, _, _ in tagged],
        [tags.warehouse for _, _, tags in tagged],
        [tags.supplier for _, _, tags in tagged],
        [tags.logistics for _, _, tags in tagged],
        [tags.customs for _, _, tags in tagged],
        [record.model_dump(mode="json") for _, record, _ in tagged],
    )
    await connection.execute(TAG, order_no, *columns)
    rows = await read_rows(connection, order_no)
    return Retagged(priced=priced_of(rows), untagged=untagged_of(rows))
