"""The rights in the database are those of the table `access_rules`, and everything in it has a row there."""

import re
from collections.abc import Mapping
from datetime import date
from pathlib import Path

from store.polling.reconciling import MEASURE
from store.pool import Pool
from tests.store.access.logins import logged_in

ROLES = {
    "oms_relay": "relay",
    "oms_worker": "worker",
    "oms_operator": "operator",
    "oms_bi": "bi",
    "oms_console": "console",
}
ALL = ""
"""Of a right on a whole table."""
Right = tuple[str, str, str, str]
"""Object, role, privilege, column."""

# Everything granted in the schema to anybody but the owner.
GRANTED = """
SELECT c.relname, coalesce(r.rolname, 'PUBLIC') AS role, x.privilege_type, '' AS attname
FROM pg_class c CROSS JOIN LATERAL aclexplode(c.relacl) x LEFT JOIN pg_roles r ON r.oid = x.grantee
WHERE c.relnamespace = 'public'::regnamespace AND x.grantee <> c.relowner
UNION ALL
SELECT c.relname, coalesce(r.rolname, 'PUBLIC'), x.privilege_type, a.attname
FROM pg_attribute a JOIN pg_class c ON c.oid = a.attrelid CROSS JOIN LATERAL aclexplode(a.attacl) x
LEFT JOIN pg_roles r ON r.oid = x.grantee
WHERE c.relnamespace = 'public'::regnamespace AND x.grantee <> c.relowner"""

# Tables, views, and sequences that belong to no column, or that somebody may use.
OBJECTS = """
SELECT relname, relowner::regrole::text AS owner FROM pg_class
WHERE relnamespace = 'public'::regnamespace AND relkind IN ('r', 'p', 'v', 'm')"""


def rights(may: str) -> set[tuple[str, str]]:
    """`SELECT, UPDATE (a, b)` as pairs of privilege and column."""
    found = set()
    for privilege, columns in re.findall(r"([A-Z]+)\s*(\([^)]*\))?", may):
        names = re.findall(r"\w+", columns) or [ALL]
        found |= {(privilege, name) for name in names}
    return found


async def ruled(pool: Pool) -> set[Right]:
    rules: list[Mapping[str, str]] = [dict(row) for row in await pool.fetch("SELECT * FROM access_rules")]
    return {
        (rule["object"], role, privilege, column)
        for rule in rules
        for role, name in ROLES.items()
        for privilege, column in rights(rule[name])
    }


async def granted(pool: Pool) -> set[Right]:
    return {tuple(row) for row in await pool.fetch(GRANTED)}


async def without_a_rule(pool: Pool) -> set[str]:
    """What nobody has said anything about, or does not belong to the owner."""
    known = {row["object"] for row in await pool.fetch("SELECT object FROM access_rules")}
    return {
        row["relname"]
        for row in await pool.fetch(OBJECTS)
        if row["relname"] not in known or row["owner"] != "oms_owner"
    }


async def test_every_role_may_do_what_its_column_says_and_nothing_else(pool: Pool) -> None:
    rules, there = await ruled(pool), await granted(pool)
    assert len(rules) > 300
    assert there - rules == set(), "granted without a rule"
    assert rules - there == set(), "ruled and not granted: SELECT settle_access() at the end of the migration"


async def test_everything_has_a_rule_and_belongs_to_the_owner(pool: Pool) -> None:
    assert await without_a_rule(pool) == set(), "give it a row in access_rules, then SELECT settle_access()"
    gone = await pool.fetch(
        "SELECT object FROM access_rules WHERE to_regclass('public.' || quote_ident(object)) IS NULL"
    )
    assert [row["object"] for row in gone] == []


async def test_a_new_table_without_a_rule_does_not_pass(pool: Pool) -> None:
    await pool.execute("CREATE TABLE novelty (n int)")
    assert await without_a_rule(pool) == {"novelty"}
    await pool.execute("SELECT settle_access()")
    assert await without_a_rule(pool) == {"novelty"}, "the owner's, and nobody may read it"
    await pool.execute("INSERT INTO access_rules (object, worker) VALUES ('novelty', 'SELECT, UPDATE (n)')")
    assert await ruled(pool) - await granted(pool) == {
        ("novelty", "oms_worker", "SELECT", ALL), ("novelty", "oms_worker", "UPDATE", "n"),
    }  # fmt: skip
    await pool.execute("SELECT settle_access()")
    assert await without_a_rule(pool) == set() and await ruled(pool) == await granted(pool)


async def test_nobody_is_more_than_a_member_of_a_role(pool: Pool) -> None:
    rows = await pool.fetch("SELECT * FROM pg_roles WHERE rolname LIKE 'oms\\_%'")
    assert {row["rolname"] for row in rows} >= {"oms_owner", *ROLES}
    for row in rows:
        powers = ("rolsuper", "rolcreaterole", "rolcreatedb", "rolreplication", "rolbypassrls")
        assert not any(row[power] for power in powers), row["rolname"]
        assert row["rolcanlogin"] == row["rolname"].endswith("_login")


async def test_functions_of_the_owner_pin_their_path_and_are_not_everybodys(pool: Pool) -> None:
    found = await pool.fetch(
        """SELECT proname, proconfig, proowner::regrole::text AS owner,
            has_function_privilege('oms_bi', oid, 'EXECUTE') AS bi
        FROM pg_proc WHERE pronamespace = 'public'::regnamespace AND prosecdef"""
    )
    assert {row["proname"] for row in found} == {
        "append_audit", "locked_approval", "decide_approval", "withdraw_approval", "use_approval", "drop_bodies",
        "active_person", "first_administrators", "decide_chargeback", "begin_erasure", "erase_words",
        "erase_approval", "tell_automations",
        "end_erasure", "hold", "hold_if_free", "place_events", "ask_about_payment", "ask_about_refund",
        "ask_about_outbound", "ask_about_parcels", "ask_about_parcels_of_child", "child_waits",
    }  # fmt: skip
    for row in found:
        assert (row["proconfig"], row["owner"], row["bi"]) == (["search_path=public, pg_temp"], "oms_owner", False)


async def test_what_the_operator_may_write_is_what_the_page_says_and_why(pool: Pool) -> None:
    page = (Path(__file__).parents[3] / "docs/authority.md").read_text(encoding="utf-8")
    rows = page.partition("<!-- operator -->")[2].partition("<!-- /operator -->")[0].strip().splitlines()[2:]
    told = {name for row in rows for name in re.findall(r"`([^`]+)`", row.split("|")[1])}
    may = {
        object for object, role, privilege, _ in await ruled(pool) if role == "oms_operator" and privilege != "SELECT"
    }
    assert may == told
    moves = {
        "approvals", "payments", "payment_balances", "refunds", "refund_parts", "chargebacks", "outside_bookings",
        "stock", "stock_moves", "orders", "order_lines", "child_orders", "unit_claims", "people", "rule_drafts",
    }  # fmt: skip
    assert not may & moves and all(row.count("|") == 4 for row in rows)


async def test_the_operator_decides_and_spends_nothing_through_the_owners_functions(pool: Pool) -> None:
    found = await pool.fetch(
        """SELECT proname FROM pg_proc WHERE pronamespace = 'public'::regnamespace AND prosecdef
            AND has_function_privilege('oms_operator', oid, 'EXECUTE')"""
    )
    assert {row["proname"] for row in found} == {"append_audit", "active_person", "first_administrators"}


async def test_the_worker_may_write_until_when_an_order_was_promised_to_leave(pool: Pool) -> None:
    """Settling writes it: without the right no paid order goes on."""
    asked = "SELECT has_column_privilege('oms_worker', 'orders', 'dispatch_by', 'UPDATE')"
    assert await pool.fetchval(asked) is True


async def test_the_worker_keeps_how_well_a_compared_day_went(database_url: str, pool: Pool) -> None:
    async with logged_in(database_url, "oms_worker") as connection:
        await connection.execute(MEASURE, date(2026, 11, 20))


async def test_nothing_asks_for_the_name_of_a_process_in_the_session(pool: Pool) -> None:
    """A login is a member of its process's role and has a name of its own: what compares names holds in plays alone."""
    said = await pool.fetch(
        """SELECT p.proname AS name, p.prosrc AS text FROM pg_proc p WHERE p.pronamespace = 'public'::regnamespace
        UNION ALL SELECT t.tgname, pg_get_triggerdef(t.oid) FROM pg_trigger t WHERE NOT t.tgisinternal"""
    )
    by_name = re.compile(
        r"(current|session)_user\W{1,12}(=|<>)\W*oms_(relay|worker|operator|bi|console)", re.IGNORECASE
    )
    assert [row["name"] for row in said if by_name.search(row["text"])] == [] and len(said) > 50
