"""What BI tools read: documented column by column, the report's own figures, and nothing that a person wrote."""

import re
from pathlib import Path

from activities.insight.reports import BuildReport, InsightActivities
from domain.insight.health import HealthReport
from domain.records import TicketRecord
from domain.returns.models import Actor
from store.insight.reports import ReportStore
from store.orders.orders import OrderStore
from store.pool import Pool
from store.returns import ReturnStore
from store.stock.ledger import StockStore
from store.tickets.tickets import TicketStore
from tests.store.access.logins import logged_in
from tests.store.cases import LATER, a_case, an_arrived_order
from tests.store.examples import ADDRESS, NOW
from tests.store.insight.test_reports import WANTED, insight

__all__ = ["insight"]

PAGE = Path(__file__).parents[3] / "docs/insight.md"
VIEWS = """
SELECT table_name AS view, column_name AS column FROM information_schema.columns
WHERE table_schema = 'public' AND table_name LIKE 'bi\\_%'"""
READABLE = """
SELECT c.oid::regclass::text AS name, a.attname FROM pg_class c JOIN pg_attribute a ON a.attrelid = c.oid
WHERE c.relnamespace = 'public'::regnamespace AND c.relkind IN ('r', 'v') AND a.attnum > 0 AND NOT a.attisdropped
    AND has_column_privilege('oms_bi', c.oid, a.attname, 'SELECT')"""
NAME, PHONE, STREET, SAID, WHO = "Canary Wang", "13900139077", "Canary Street 77", "canary was said", "u-canary"


def documented() -> set[tuple[str, str]]:
    found = set()
    sections = re.split(r"^#{2,3} ", PAGE.read_text(encoding="utf-8"), flags=re.MULTILINE)
    for section in (s for s in sections if s.startswith("`bi_")):
        view = section.split("`")[1]
        for row in re.findall(r"^\| (`.*?) \|", section, flags=re.MULTILINE):
            found |= {(view, column) for column in re.findall(r"`([^`]+)`", row)}
    return found


async def test_the_page_names_every_column_of_every_view_and_no_other(pool: Pool) -> None:
    there = {(row["view"], row["column"]) for row in await pool.fetch(VIEWS)}
    assert len(there) > 80
    assert there - documented() == set(), "not in docs/insight.md"
    assert documented() - there == set(), "in docs/insight.md only"


async def test_who_counts_the_views_finds_the_figures_of_the_report(
    insight: InsightActivities, pool: Pool, database_url: str
) -> None:
    kept = await insight.built(WANTED)
    report = HealthReport.model_validate_json(kept.text)
    async with logged_in(database_url, "oms_bi") as bi:
        counted = await bi.fetchrow(
            """SELECT count(*) AS orders, count(*) FILTER (WHERE parcels > 1) AS split,
                count(*) FILTER (WHERE after_sales) AS after_sales, count(*) FILTER (WHERE by_hand) AS by_hand
            FROM bi_orders WHERE placed_month = '2026-04' AND counts"""
        )
        payments = await bi.fetchrow(
            "SELECT count(*), count(*) FILTER (WHERE late) FROM bi_payments WHERE paid_month = '2026-04'"
        )
        minutes = await bi.fetch(
            "SELECT fulfilment_minutes FROM bi_orders WHERE to_char(signed_at, 'YYYY-MM') = '2026-04' ORDER BY 1"
        )
        manual = await bi.fetch("SELECT hours_open, manual FROM bi_anomalies WHERE opened_month = '2026-04'")
        ended = await bi.fetch("SELECT close_reason FROM bi_returns WHERE ended_month = '2026-04'")
        told = await bi.fetchval("SELECT count(*) FROM bi_transitions WHERE delay_s <= 300 AND outcome = 'STALE'")
    assert counted is not None and payments is not None
    for key, name in (
        ("split_rate_bp", "split"),
        ("after_sales_rate_bp", "after_sales"),
        ("manual_orders_bp", "by_hand"),
    ):
        figure = report.figure(key)
        assert (figure.part, figure.counted) == (counted[name], counted["orders"]), key
    late = report.figure("payment_delay_ppm")
    assert tuple(payments) == (late.counted, late.part)
    assert sum(row[0] for row in minutes) == (report.figure("fulfilment_minutes").value or 0) * len(minutes) > 0
    assert [tuple(row) for row in manual] == [(5, True)] and [row[0] for row in ended] == ["RETURN_NOT_SENT"]
    assert told == report.figure("sync_accuracy_bp").part


async def test_reported_figures_are_read_as_they_were_built_and_the_newest_is_marked(
    insight: InsightActivities, pool: Pool
) -> None:
    report = HealthReport.model_validate_json((await insight.built(WANTED)).text)
    await ReportStore(pool).keep(
        "health", "2026-04", report.model_copy(update={"orders": 9}).model_dump_json(), (), NOW
    )
    rows = await pool.fetch("SELECT * FROM bi_report_figures WHERE version = 1")
    assert {row["measure"]: (row["value"], row["counted"], row["left_out"], row["p90"]) for row in rows} == {
        f.key: (f.value, f.counted, sum(f.left_out.values()), f.p90) for f in report.figures
    }
    versions = await pool.fetch("SELECT DISTINCT version, newest FROM bi_report_figures ORDER BY 1")
    assert [tuple(row) for row in versions] == [(1, False), (2, True)]
    parts = await pool.fetch("SELECT measure, name, value FROM bi_report_parts WHERE newest")
    assert [tuple(row) for row in parts] == [(f.key, p.name, p.value) for f in report.figures for p in f.parts]


async def test_what_people_wrote_is_in_no_cell_that_the_role_reads(database_url: str, pool: Pool) -> None:
    """Names, phones, streets and words in an order, its return, hold and ticket; all that is readable is read."""
    orders = OrderStore(pool)
    await an_arrived_order(orders, StockStore(pool))
    address = ADDRESS.model_copy(update={"recipient": NAME, "phone": PHONE, "street": STREET, "city": f"{STREET} city"})
    await pool.execute(
        """UPDATE orders SET start = start || jsonb_build_object('address', $1::jsonb, 'note', $2::text,
            'buyer', jsonb_build_object('buyer_id', $3::text)), waiting_for = $2, buyer_id = $3""",
        address.model_dump(mode="json"), SAID, WHO,
    )  # fmt: skip
    await pool.execute("UPDATE child_orders SET address = $1", address.model_dump(mode="json"))
    await a_case(ReturnStore(pool), pool, description=f"{SAID} by {NAME}", actor=Actor(kind="buyer", id=WHO))
    await pool.execute(HOLD, "H-SO20261120-1", "SO20261120", SAID, WHO, NOW)
    ticket = TicketRecord(
        ticket_id="T-1", system="tms", step="label", error=f"{STREET} is no address",
        severity="urgent", actions=("retry",), give_up_means=SAID,
    )  # fmt: skip
    await TicketStore(pool).open_outside(ticket, "SO20261120", NOW)
    await InsightActivities(pool, lambda: LATER).built(BuildReport(report="health", period="2026-11", as_of=LATER))
    assert SAID in await pool.fetchval("SELECT application::text FROM return_cases")
    told, read = [], set()
    async with logged_in(database_url, "oms_bi") as bi:
        for name, column in await pool.fetch(READABLE):
            values = [row[0] for row in await bi.fetch(f"SELECT {column}::text FROM {name}") if row[0]]  # noqa: S608
            if values:
                read.add(name)
            told += [f"{name}.{column}" for v in values if any(c in v for c in (NAME, PHONE, STREET, SAID, WHO))]
    assert told == []
    assert {"bi_orders", "bi_children", "bi_returns", "bi_anomalies", "bi_report_figures", "order_holds"} <= read


HOLD = """
INSERT INTO order_holds (hold_id, order_no, children, kind, source, reason, remark, placed_by, placed_at, ask_after_s,
    stopped, too_late, end_remark, updated_at, seq)
VALUES ($1, $2, '{}', 'message', 'hand', $3, $3, $4, $5, 3600, '{}', '{}', $3, $5, 1)"""
