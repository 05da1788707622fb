"""People, at `oms` or in the console, tell no order what has happened and answer for no workflow: real logins try."""

from collections.abc import AsyncIterator
from datetime import UTC, datetime

import pytest
from asyncpg.exceptions import InsufficientPrivilegeError

from domain.policy import Policy
from domain.records import SettlePayment, TicketRecord
from store.inbox.inbox import InboxStore
from store.inbox.replaying import InboxReplays, Selection
from store.orders.orders import OrderStore
from store.pool import Connection, Pool, open_pool
from store.tickets.tickets import TicketStore
from tests.store.access.logins import logged_in, url_of
from tests.store.access.test_walls import a_message
from tests.store.examples import NOW, a_payment, a_write, an_order

PEOPLE = ("oms_operator", "oms_console")

A_PAYMENT_THAT_NEVER_WAS = """
INSERT INTO inbox (source, event_id, via, kind, digest, body, facts, received_at, next_try_at, state)
VALUES ('wechat', 'forged', 'callback', 'PAYMENT_SUCCEEDED', sha256(''), '', '[{"key": "wechat:pay:42"}]', now(), now(),
    'received')"""
NEWS = (
    A_PAYMENT_THAT_NEVER_WAS,
    "INSERT INTO inbox_repeats (inbox_id, at, via) SELECT id, now(), 'callback' FROM inbox",
    """INSERT INTO courier_traces (source, waybill_no, key, at, status, text)
    VALUES ('kuaidi100', 'SF1', 'k', now(), 'SIGNED', 'signed')""",
    "INSERT INTO outbox (event_id, order_no, type, at, body) VALUES ('e', 'SO1', 'payment.received', now(), '{}')",
    "INSERT INTO deliveries (subscription_id, outbox_id, next_try_at) VALUES ('s', 1, now())",
    """INSERT INTO tickets (ticket_id, severity, system, step, error, actions, give_up_means, opened_at)
    VALUES ('T-money-1', 'normal', 's', 's', 'e', '{}', 'g', now())""",
    "INSERT INTO ticket_notices (ticket_id, event, level, at) VALUES ('T-1', 'opened', 0, now())",
)
"""Each would be believed, here or by who reads our events."""
OF_A_MESSAGE = (
    "UPDATE inbox SET state = 'applied'",
    "UPDATE inbox SET state = 'kept'",
    "UPDATE inbox SET state = 'dead', note = 'nobody has to hear it'",
    "UPDATE inbox SET next_try_at = now() + interval '10 years'",
    "UPDATE inbox SET leased_until = now() + interval '10 years'",
    "UPDATE inbox SET order_no = 'SO1001'",
    "UPDATE inbox SET delivered_at = now()",
)
CLOSED = (
    "UPDATE tickets SET state = 'resolved', resolved_at = now(), resolved_by = 'u', action = 'give_up', remark = 'r'"
)


async def done_of(connection: Connection, statements: tuple[str, ...]) -> list[str]:
    """Those that are not refused."""
    done = []
    for statement in statements:
        try:
            await connection.execute(statement)
        except InsufficientPrivilegeError:
            continue
        done.append(statement)
    return done


@pytest.mark.parametrize("role", PEOPLE)
async def test_nobody_among_them_makes_news(database_url: str, pool: Pool, role: str) -> None:
    await InboxStore(pool).add_many([a_message()])
    async with logged_in(database_url, role) as connection:
        assert await done_of(connection, NEWS) == []
    assert await pool.fetchval("SELECT count(*) FROM inbox") == 1


@pytest.mark.parametrize("role", PEOPLE)
async def test_all_they_say_of_a_message_is_that_it_is_to_be_delivered_again(
    database_url: str, pool: Pool, role: str
) -> None:
    await InboxStore(pool).add_many([a_message()])
    async with logged_in(database_url, role) as connection:
        assert await done_of(connection, OF_A_MESSAGE) == []
    assert await pool.fetchval("SELECT state FROM inbox") == "received"


@pytest.fixture
async def asked(pool: Pool) -> AsyncIterator[str]:
    """The number of a ticket whose order waits for the answer."""
    orders = OrderStore(pool)
    await orders.register(an_order(), "run-1", NOW)
    ticket = TicketRecord(
        ticket_id="T-1", system="tms", step="label", error="e", severity="urgent", actions=("retry",),
        give_up_means="g",
    )  # fmt: skip
    await orders.settle(SettlePayment(write=a_write(payment=a_payment(), tickets=(ticket,)), policy=Policy()))
    yield ticket.ticket_id


@pytest.mark.parametrize("role", PEOPLE)
async def test_what_a_workflow_asks_is_answered_through_it(
    database_url: str, pool: Pool, asked: str, role: str
) -> None:
    nobodys = TicketRecord(
        ticket_id="T-note", system="relay", step="note", error="e", actions=("give_up",), give_up_means="seen"
    )
    await TicketStore(pool).open_outside(nobodys, None, datetime.now(UTC))
    async with logged_in(database_url, role) as connection:
        assert await done_of(connection, (f"{CLOSED} WHERE ticket_id = '{asked}'",)) == []
        await connection.execute(f"{CLOSED} WHERE ticket_id = 'T-note'")
    states = await pool.fetch("SELECT ticket_id, state FROM tickets ORDER BY 1")
    assert [tuple(row) for row in states] == [("T-1", "open"), ("T-note", "resolved")]


async def test_relay_and_worker_go_on_saying_what_became_of_messages_and_tickets(
    database_url: str, pool: Pool, asked: str
) -> None:
    await InboxStore(pool).add_many([a_message()])
    for role in ("oms_relay", "oms_worker"):
        async with logged_in(database_url, role) as connection:
            await connection.execute("UPDATE inbox SET state = 'applied'")
            await connection.execute("UPDATE inbox SET state = 'received', next_try_at = now() + interval '1 hour'")
            await connection.execute("UPDATE inbox SET leased_until = now() + interval '1 hour'")
            await connection.execute("UPDATE inbox SET leased_until = NULL")
            await connection.execute(f"{CLOSED} WHERE ticket_id = '{asked}'")
            await pool.execute("UPDATE tickets SET state = 'open', resolved_at = NULL, resolved_by = NULL, "
                               "action = NULL, remark = NULL WHERE ticket_id = $1", asked)  # fmt: skip


async def test_with_a_login_of_its_own_the_console_has_a_message_delivered_again(database_url: str, pool: Pool) -> None:
    await InboxStore(pool).add_many([a_message()])
    await pool.execute("UPDATE inbox SET state = 'parked', note = 'no order'")
    for role in PEOPLE:
        async with logged_in(database_url, role):
            own = await open_pool(url_of(database_url, role), max_size=1)
            replays = InboxReplays(own)
            assert await replays.replay(await replays.select(Selection(), 10), "u-ops", datetime.now(UTC)) == 1
            await own.close()
        await pool.execute("UPDATE inbox SET state = 'parked', note = 'no order'")
