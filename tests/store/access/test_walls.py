"""Each login tries what it must not: evidence is changed by nobody, rights are gained by nobody (F15)."""

import asyncio
from contextlib import suppress
from datetime import UTC, datetime, timedelta

import pytest
from asyncpg.exceptions import InsufficientPrivilegeError, RestrictViolationError

from domain.facts import Fact, Kind
from domain.policy import Policy
from domain.records import AuditEntry, SettlePayment, TicketRecord
from store.audit.audit import AuditStore
from store.inbox.inbox import InboxStore, Incoming
from store.orders.orders import OrderStore
from store.pool import Pool
from store.tickets.tickets import TicketStore
from tests.store.access.logins import ROLES, logged_in
from tests.store.access.test_grants import granted, ruled
from tests.store.examples import ADDRESS, NOW, a_payment, a_write, an_order

EVIDENCE = (
    "UPDATE audit SET actor = 'somebody else'",
    "DELETE FROM audit",
    "TRUNCATE audit",
    "INSERT INTO audit (at, actor, action, detail) VALUES (now(), 'u-admin', 'x', '{}')",
    "UPDATE approvals SET decided_by = 'u-fin', state = 'approved'",
    "DELETE FROM approvals",
    "TRUNCATE approvals CASCADE",
    """INSERT INTO approvals (approval_id, kind, subject, version, role, requested_by, content, content_hash, opened_at,
        state, decided_at, decided_by, decided_role, remark) VALUES ('A-1', 'k', 's', 1, 'FINANCE', 'u', '{}',
        repeat('0', 64), now(), 'approved', now(), 'u-fin', 'FINANCE', 'r')""",
    "UPDATE used_tokens SET used_by = 'x'",
    "DELETE FROM used_tokens",
    "UPDATE inbox SET facts = '[]'",
    "UPDATE inbox SET body = ''",
    "UPDATE inbox SET digest = sha256('')",
    "DELETE FROM inbox",
    "TRUNCATE inbox CASCADE",
    "UPDATE order_events SET outcome = 'APPLIED'",
    "DELETE FROM order_events",
    "UPDATE payments SET amount_minor = 0",
    "DELETE FROM payments",
    "DELETE FROM refunds",
    "UPDATE outside_bookings SET approved_by = 'x'",
    "UPDATE policies SET policy = '{}'",
    "UPDATE rule_sets SET document = '{}'",
    "DELETE FROM stock_moves",
    "UPDATE access_rules SET relay = 'ALL'",
    "DELETE FROM schema_migrations",
)
POWER = (
    "ALTER TABLE audit DISABLE TRIGGER ALL",
    "DROP TRIGGER audit_only_grows ON audit",
    "ALTER TABLE approvals DROP CONSTRAINT approvals_not_by_requester",
    "DROP TABLE audit",
    "SET session_replication_role = replica",
    "SET ROLE oms_owner",
    "GRANT oms_owner TO current_user",
    "ALTER ROLE current_user SUPERUSER",
    "CREATE ROLE accomplice LOGIN",
    "CREATE TABLE public.mine (n int)",
    "CREATE FUNCTION public.mine() RETURNS int LANGUAGE sql AS 'SELECT 1'",
    "CREATE OR REPLACE FUNCTION public.refuse_change() RETURNS trigger LANGUAGE plpgsql AS 'BEGIN RETURN NEW; END'",
    "CREATE SCHEMA mine",
    "CREATE EXTENSION file_fdw",
    "COPY audit TO PROGRAM 'cat'",
    "SELECT pg_read_file('PG_VERSION')",
    "SELECT settle_access()",
)
NOT_ITS_OWN = {
    "oms_relay": (
        "INSERT INTO payments (key) VALUES ('k')",
        "UPDATE orders SET status = 'CLOSED'",
        "UPDATE refunds SET status = 'SUCCEEDED'",
        "UPDATE stock SET available = 0",
        "INSERT INTO stock_moves (ref) VALUES ('r')",
        "SELECT * FROM people",
        "SELECT * FROM approvals",
        "SELECT actor FROM audit",
        "INSERT INTO person_roles (person_id) VALUES ('u')",
        "INSERT INTO policies (version) VALUES (2)",
        "SELECT decide_approval('A-1', 'approved', now(), 'u', 'FINANCE', NULL, 'r')",
    ),
    "oms_worker": (
        "SELECT drop_bodies('applied', now(), now(), 1)",
        "UPDATE policies SET policy = '{}'",
        "INSERT INTO subscriptions (subscription_id) VALUES ('s')",
        "DELETE FROM inbox_refusals",
        "SELECT first_administrators('u-1', 'u-2', now(), 'u-1')",
    ),
    "oms_operator": (
        "UPDATE orders SET status = 'COMPLETED'",
        "UPDATE orders SET paid_minor = 0",
        "INSERT INTO orders (order_no) VALUES ('x')",
        "UPDATE child_orders SET status = 'SIGNED'",
        "UPDATE return_cases SET payout_minor = 1",
        "INSERT INTO order_events (order_no) VALUES ('x')",
        "SELECT drop_bodies('applied', now(), now(), 1)",
        "UPDATE people SET source = 'oidc'",
        "UPDATE people SET active = true",
        "INSERT INTO people (person_id, created_at) VALUES ('u-crony', now())",
        "INSERT INTO person_roles (person_id, role) VALUES ('u-crony', 'FINANCE')",
        "DELETE FROM person_roles",
        "INSERT INTO delegations (delegator) VALUES ('u')",
        "UPDATE delegations SET revoked_at = NULL",
        "INSERT INTO policies (version) VALUES (2)",
        "INSERT INTO rule_sets (version) VALUES (2)",
        "INSERT INTO used_tokens (token_id) VALUES ('t')",
        "SELECT decide_approval('A-1', 'approved', now(), 'u', 'FINANCE', NULL, 'r')",
        """INSERT INTO approvals (approval_id, kind, subject, version, role, requested_by, content, content_hash,
            opened_at) VALUES ('A-policy-1', 'publish_policy', 'policy', 1, 'FINANCE', 'u-else', '{}',
            repeat('0', 64), now())""",
    ),
    "oms_bi": (
        "SELECT start FROM orders",
        "SELECT * FROM orders",
        "SELECT buyer_id FROM orders",
        "SELECT address FROM child_orders",
        "SELECT body FROM inbox",
        "SELECT facts FROM inbox",
        "SELECT label FROM parcels",
        "SELECT remote_ip FROM inbox_refusals",
        "SELECT * FROM people",
        "SELECT * FROM audit",
        "SELECT content FROM approvals",
        "SELECT application FROM return_cases",
        "INSERT INTO policies (version) VALUES (2)",
        "SELECT append_audit(now(), 'a', 'b', NULL, '{}', NULL, NULL)",
    ),
    "oms_console": (
        "UPDATE orders SET status = 'COMPLETED'",
        "UPDATE tickets SET give_up_means = '', severity = 'info'",
        "INSERT INTO approvals (approval_id) VALUES ('A-x-1')",
        "INSERT INTO person_roles (person_id, role) VALUES ('u-crony', 'FINANCE')",
        "INSERT INTO person_scopes (person_id, kind, value) VALUES ('u', 'channel', 'shop')",
        "DELETE FROM person_scopes",
        "UPDATE console_sessions SET person_id = 'u-admin'",
        "UPDATE console_sessions SET expires_at = now() + interval '1 year'",
        "UPDATE refunds SET status = 'SUCCEEDED'",
        "INSERT INTO policies (version) VALUES (2)",
        "INSERT INTO command_proofs (token_id) VALUES ('t')",
        "SELECT * FROM subscriptions",
        "SELECT * FROM used_tokens",
        "SELECT claims FROM command_proofs",
        "SELECT body FROM inbox",
        "UPDATE inbox SET order_no = 'SO1001'",
        "SELECT remote_ip FROM inbox_refusals",
        "SELECT decide_approval('A-1', 'approved', now(), 'u', 'FINANCE', NULL, 'r')",
        "SELECT first_administrators('u-1', 'u-2', now(), 'u-1')",
    ),
}  # fmt: skip


@pytest.mark.parametrize("role", ROLES)
async def test_nobody_changes_evidence_or_gains_rights(database_url: str, pool: Pool, role: str) -> None:
    done = []
    async with logged_in(database_url, role) as connection:
        for statement in (*EVIDENCE, *POWER, *NOT_ITS_OWN[role]):
            try:
                await connection.execute(statement)
            except InsufficientPrivilegeError:
                continue
            done.append(statement)
        with suppress(InsufficientPrivilegeError):  # who may read a part of it is told so, all others get a warning
            await connection.execute("GRANT SELECT ON policies TO PUBLIC")
    assert done == [] and await granted(pool) == await ruled(pool)


async def test_an_audit_row_goes_in_by_the_owners_function_alone_and_into_the_real_table(
    database_url: str, pool: Pool
) -> None:
    async with logged_in(database_url, "oms_relay") as relay:
        await relay.execute("CREATE TEMP TABLE audit (actor text)")
        await relay.execute("SELECT append_audit(now(), 'relay', 'looked', NULL, '{}', NULL, NULL)")
    assert [row.actor for row in await AuditStore(pool).list()] == ["relay"]
    assert await AuditStore(pool).broken_at() is None


async def test_a_decision_stays_even_for_who_may_decide(database_url: str, pool: Pool) -> None:
    await pool.execute("INSERT INTO people (person_id, created_at) VALUES ('u-fin', now()), ('u-fin2', now())")
    async with logged_in(database_url, "oms_worker") as worker:
        await worker.execute(
            """INSERT INTO approvals (approval_id, kind, subject, version, role, requested_by, content, content_hash,
            opened_at) VALUES ('A-1', 'k', 's', 1, 'FINANCE', 'u-cs', '{}', repeat('0', 64), now())"""
        )
        decide = "SELECT decide_approval('A-1', 'approved', now(), $1, 'FINANCE', NULL, 'seen')"
        await worker.execute(decide, "u-fin")
        for again in ("u-fin2", "u-cs"):
            with pytest.raises(RestrictViolationError):
                await worker.execute(decide, again)
        with pytest.raises(RestrictViolationError):
            await worker.execute("SELECT withdraw_approval('A-1', now())")
    assert await pool.fetchval("SELECT decided_by FROM approvals") == "u-fin"


def a_message(**changes: object) -> Incoming:
    fact = Fact(key="k", kind=Kind.SIGNED, source="kuaidi100", occurred_at=NOW, child_no="C-1", note=f"for {CANARY}")
    fields = {
        "source": "kuaidi100", "event_id": "e-1", "kind": "SIGNED", "digest": bytes(32), "body": CANARY.encode(),
        "facts": (fact,), "received_at": NOW - timedelta(days=30),
    }  # fmt: skip
    return Incoming(**{**fields, **changes})  # type: ignore[arg-type]


async def test_bodies_are_dropped_by_the_relay_when_they_are_old_and_over_and_facts_never(
    database_url: str, pool: Pool
) -> None:
    young = datetime.now(UTC)
    await InboxStore(pool).add_many([a_message(), a_message(event_id="e-2", received_at=young)])
    async with logged_in(database_url, "oms_relay") as relay:
        drop = "SELECT drop_bodies($1, now() + interval '1 year', now(), 100)"
        assert await relay.fetchval(drop, "received") == 0
        await relay.execute("UPDATE inbox SET state = 'applied'")
        assert await relay.fetchval(drop, "applied") == 1, "nothing of the last day"
    kept = await pool.fetch("SELECT body, facts FROM inbox ORDER BY id")
    assert [row["body"] for row in kept] == [b"", CANARY.encode()] and all(row["facts"] for row in kept)


async def test_what_was_told_stays_even_for_the_owner(pool: Pool) -> None:
    await InboxStore(pool).add_many([a_message()])
    for change in ("UPDATE inbox SET facts = '[]'", "DELETE FROM inbox", "UPDATE inbox SET digest = sha256('')"):
        with pytest.raises(RestrictViolationError):
            await pool.execute(change)


CANARY = "Canary Street 77"


async def test_reports_read_nothing_that_names_a_person(database_url: str, pool: Pool) -> None:
    """Every column that bi may read is read, of books in which a street stands wherever one can stand."""
    orders, address = OrderStore(pool), ADDRESS.model_copy(update={"street": CANARY, "recipient": CANARY})
    await orders.register(an_order(address=address), "run-1", NOW)
    payment = a_payment()
    ticket = TicketRecord(
        ticket_id="T-1", system="tms", step="label", error=f"{CANARY} is no address", severity="urgent",
        actions=("retry",), give_up_means=CANARY,
    )  # fmt: skip
    write = a_write(payment=payment, tickets=(ticket,), waiting_for=CANARY)
    audit = AuditEntry(actor="u-cs", action="order.look", detail={"said": CANARY})
    await orders.settle(SettlePayment(write=write.model_copy(update={"audit": (audit,)}), policy=Policy()))
    await InboxStore(pool).add_many([a_message()])
    await TicketStore(pool).list()
    kept = await pool.fetchval("SELECT string_agg(o.start::text, '') FROM orders o")
    assert CANARY in kept
    readable = await pool.fetch(
        """SELECT c.oid::regclass::text AS name, a.attname FROM pg_class c JOIN pg_attribute a ON a.attrelid = c.oid
        WHERE c.relnamespace = 'public'::regnamespace AND c.relkind IN ('r', 'v') AND a.attnum > 0
            AND NOT a.attisdropped AND has_column_privilege('oms_bi', c.oid, a.attname, 'SELECT')"""
    )
    assert len(readable) > 150
    told = []
    async with logged_in(database_url, "oms_bi") as bi:
        for name, column in readable:
            values = await bi.fetch(f"SELECT {column}::text AS v FROM {name}")  # noqa: S608 - names of the catalogue
            told += [f"{name}.{column}" for row in values if row["v"] and CANARY in row["v"]]
    assert told == []


async def test_no_login_holds_up_what_is_not_its_own(database_url: str, pool: Pool) -> None:
    """The audit's chain, changes of people and the relay's jobs go on, whatever a reader's login locks."""
    held = [row["name"] for row in await pool.fetch("SELECT name FROM held")]
    async with logged_in(database_url, "oms_bi") as reader:
        async with reader.transaction():
            for name in ("audit chain", "one change of people", "one publisher of policies", "ticket escalation"):
                await reader.execute("SELECT pg_advisory_xact_lock(hashtext($1))", name)
            entry = AuditEntry(actor="u", action="goes.on", detail={})
            async with asyncio.timeout(5):
                await AuditStore(pool).append(entry, datetime.now(UTC))
                assert await pool.fetchval("SELECT hold_if_free('ticket escalation')")
                await pool.execute("SELECT hold('people'), hold('policies')")
        for name in held:
            for sql in ("SELECT hold($1)", "SELECT 1 FROM held WHERE name = $1 FOR UPDATE"):
                with pytest.raises(InsufficientPrivilegeError):
                    await reader.execute(sql, name)
    async with logged_in(database_url, "oms_relay") as relay:
        for name in ("people", "policies", "rule sets"):
            with pytest.raises(InsufficientPrivilegeError):
                await relay.execute("SELECT hold($1)", name)
        assert await relay.fetchval("SELECT hold_if_free('callback board')")
