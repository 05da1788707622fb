"""A store full of open orders, made of rows alone.

Each order has three lines of six units in two parcels that have left, the stock moves of both, its payment and eight
events, all with one owner. Rows are written as they would stand, past the triggers that would count them.
"""

import asyncpg

FILLED_AT_ONCE = 10_000

# $1, $2: the first and the last of the orders, by number.
ROWS = (
    """
    INSERT INTO orders (order_no, run_id, channel, channel_order_no, kind, buyer_id, start, currency, payable_minor,
        placed_at, pay_deadline, policy_version, seq, status, payment_status, waiting_for, paid_minor, paid_at,
        registered_at, updated_at)
    SELECT 'LOAD' || lpad(n::text, 8, '0'), 'run', 'shop', n::text, 'normal', 'b' || n % 5000, '{}', 'CNY', 6000,
        at, at, 1, 8, 'SHIPPED', 'PAID', 'receipt', 6000, at, at, at
    FROM generate_series($1::int, $2::int) n, (SELECT now() - interval '1 hour' AS at) past""",
    """
    INSERT INTO order_lines (order_no, line_id, pos, sku, qty, unit_price_minor, gross_minor, discount_minor,
        coupon_minor, net_minor, freight_minor, paid_minor, weight_g, warehouse, supplier, logistics, customs,
        shipped_units)
    SELECT 'LOAD' || lpad(n::text, 8, '0'), 'L' || l, l, 'SKU', l, 1000, l * 1000, 0, 0, l * 1000, 0, l * 1000, 1,
        'W1', 'S', 'standard', 'domestic', l
    FROM generate_series($1::int, $2::int) n, generate_series(1, 3) l""",
    """
    INSERT INTO unit_shares (order_no, line_id, first_unit, units, net_minor, freight_minor)
    SELECT 'LOAD' || lpad(n::text, 8, '0'), 'L' || l, 0, l, 1000, 0
    FROM generate_series($1::int, $2::int) n, generate_series(1, 3) l""",
    """
    INSERT INTO payments (key, order_no, channel, transaction_id, merchant_id, amount_minor, currency, paid_at,
        booked_at)
    SELECT 'pay' || n, 'LOAD' || lpad(n::text, 8, '0'), 'wechat', n::text, 'm', 6000, 'CNY', now(), now()
    FROM generate_series($1::int, $2::int) n""",
    """
    INSERT INTO payment_balances (payment_key, order_no, paid_at, paid_minor)
    SELECT 'pay' || n, 'LOAD' || lpad(n::text, 8, '0'), now(), 6000 FROM generate_series($1::int, $2::int) n""",
    """
    INSERT INTO child_orders (child_no, order_no, nn, status, seq, warehouse, reasons, net_minor, freight_minor,
        paid_minor, shipped_at, updated_at)
    SELECT 'LOAD' || lpad(n::text, 8, '0') || '-0' || c, 'LOAD' || lpad(n::text, 8, '0'), c, 'SHIPPED', 8, 'W1', '[]',
        3000, 0, 3000, now(), now()
    FROM generate_series($1::int, $2::int) n, generate_series(1, 2) c""",
    """
    INSERT INTO child_lines (order_no, child_no, line_id, first_unit, qty)
    SELECT 'LOAD' || lpad(n::text, 8, '0'), 'LOAD' || lpad(n::text, 8, '0') || '-0' || CASE l WHEN 3 THEN 2 ELSE 1 END,
        'L' || l, 0, l
    FROM generate_series($1::int, $2::int) n, generate_series(1, 3) l""",
    """
    INSERT INTO stock_moves (ref, kind, sku, warehouse, qty, at)
    SELECT 'LOAD' || lpad(n::text, 8, '0') || '-0' || CASE l WHEN 3 THEN 2 ELSE 1 END || '/L' || l, k, 'SKU', 'W1', l,
        now() - interval '1 hour'
    FROM generate_series($1::int, $2::int) n, generate_series(1, 3) l, unnest('{reserve,ship}'::text[]) k""",
    """
    INSERT INTO order_events (order_no, key, kind, source, occurred_at, recorded_at, outcome, from_status, to_status,
        write_seq, write_pos)
    SELECT 'LOAD' || lpad(n::text, 8, '0'), 'k' || e, 'PACKED', 'qimen', now(), now(), 'APPLIED', 'PICKING', 'PACKED',
        e, 0
    FROM generate_series($1::int, $2::int) n, generate_series(1, 8) e""",
)


async def fill(url: str, orders: int) -> None:
    connection = await asyncpg.connect(url)
    try:
        for first in range(1, orders + 1, FILLED_AT_ONCE):
            last = min(first + FILLED_AT_ONCE - 1, orders)
            async with connection.transaction():
                await connection.execute("SET LOCAL session_replication_role = replica")
                for statement in ROWS:
                    await connection.execute(statement, first, last)
            print(f"\r{last} of {orders} orders", end="", flush=True)
        await connection.execute("INSERT INTO stock (sku, warehouse, shipped) VALUES ('SKU', 'W1', $1)", 6 * orders)
        await connection.execute("ANALYZE")
    finally:
        await connection.close()
    print()
