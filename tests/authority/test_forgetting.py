"""A buyer is forgotten by two people, everywhere, and only once all of theirs has ended; sums and the audit stay."""

import asyncio
from datetime import timedelta

import pytest
import pytest_asyncio
from asyncpg import InsufficientPrivilegeError
from temporalio.service import RPCError, RPCStatusCode

from bench.checks import ownership
from bench.scenarios.environment import ScenarioEnvironment, ScenarioOrder
from bench.scenarios.environment.return_case import Case, case_of
from bench.scenarios.ordered import stocked
from domain.access.controls import ForgetBuyer
from domain.facts import Kind
from domain.returns.enums import ReturnType
from starter.clients.approvals import DecisionNotTaken
from starter.clients.controls import ChangeNotAsked
from starter.clients.errors import CommandRefused
from store.audit.audit import AuditStore
from store.inbox.replaying import InboxReplays, OrderErased, Selection
from store.orders.orders import OrderStore
from store.pool import Pool
from store.returns.evidence_storage import NotInVault
from tests.authority.test_controls import Controls, controls
from tests.returns.orders import cups
from tests.store.access.logins import logged_in
from workflows.returns.messages import CancelReturn

__all__ = ["controls"]
BUYER = "B-7001"
NAME, PHONE, STREET, WORDS = "Xanthippe Quillfeather", "13912340987", "91 Oubliette Mews", "call Aunt Zephyrine first"
CANARIES = (NAME, PHONE, STREET, WORDS)
FORGET = ForgetBuyer(buyer_id=BUYER)
TEXTS = """
SELECT table_name FROM information_schema.tables WHERE table_schema = 'public' AND table_type = 'BASE TABLE'"""


async def found(pool: Pool) -> set[str]:
    """`table: word` wherever a canary stands in our books, in text or in bytes."""
    said = set()
    for row in await pool.fetch(TEXTS):
        table = row["table_name"]
        for word in CANARIES:
            shapes = [f"%{word}%", f"%{word.encode().hex()}%"]
            sql = f"SELECT count(*) FROM {table} t WHERE t::text LIKE ANY ($1::text[])"  # noqa: S608
            if await pool.fetchval(sql, shapes):
                said.add(f"{table}: {word}")
    return said


@pytest_asyncio.fixture(loop_scope="session")
async def lives(controls: Controls) -> tuple[ScenarioOrder, Case, Case]:
    """One order that was delivered, with a return that its buyer took back and one that was paid; nothing has ended."""
    house = controls.house
    address = {"recipient": NAME, "phone": PHONE, "province": "Shanghai", "city": "Shanghai", "street": STREET}
    life = await stocked(house, cups(), address=address, buyer={"buyer_id": BUYER})
    await life.pay()
    await life.ships(1)
    await life.happens(Kind.SIGNED, note=f"signed by {NAME}")
    case = await case_of(life, ReturnType.RETURN_REFUND, {"L1": 1}, description=WORDS)
    await case.apply()
    await case.client.cancel(case.return_no, CancelReturn(by=BUYER, reason=WORDS))
    await house.rest()
    second = await case_of(life, ReturnType.RETURN_REFUND, {"L1": 1}, description=WORDS)
    await second.apply()
    await second.plain_life()
    return life, case, second


async def all_ended(house: ScenarioEnvironment, life: ScenarioOrder) -> None:
    await life.confirm_receipt(BUYER)
    await house.pass_until(house.now() + timedelta(days=40))
    assert await house.pool.fetchval("SELECT count(*) FROM orders WHERE ended_at IS NULL") == 0


async def forgotten(controls: Controls, lives: tuple[ScenarioOrder, Case, Case], n: int = 1) -> None:
    approval = await controls.ask(FORGET, "u-sup", n)
    for name in (life.handle.id for life in lives):
        controls.house.clocks.leave(name)
    await controls.decided(controls.house.office.decision(approval, "u-admin1"))
    handle = controls.house.temporal.get_workflow_handle(f"controls/{approval.request.subject}-{n}")
    async with asyncio.timeout(60):
        answer = await handle.result()
    assert answer["state"] == "made", answer
    await controls.house.pool.fetchval("SELECT 1 FROM erasures WHERE ended_at IS NOT NULL")


MONEY = """
SELECT (SELECT sum(amount_minor) FROM payments), (SELECT sum(amount_minor) FROM refunds),
    (SELECT sum(payable_minor) FROM orders), (SELECT count(*) FROM stock_moves), (SELECT count(*) FROM return_units)"""


async def test_nothing_names_a_forgotten_buyer_and_the_sums_and_the_audit_stand(
    controls: Controls, lives: tuple[ScenarioOrder, Case, Case]
) -> None:
    life, _, second = lives
    house = controls.house
    await all_ended(house, life)
    there = await found(house.pool)
    assert {f"orders: {NAME}", f"return_cases: {WORDS}", f"audit: {WORDS}", f"inbox: {NAME}"} <= there
    pictures = await house.evidence._store.list(second.return_no)
    assert pictures
    assert await house.vault.get(pictures[0].evidence_id, pictures[0].content_type)
    audit, money = AuditStore(house.pool), await house.pool.fetchrow(MONEY)
    rows = await audit.count()
    anchored = await audit.head()
    assert anchored is not None
    await forgotten(controls, lives)
    assert await found(house.pool) == set()
    with pytest.raises(NotInVault):
        await house.vault.get(pictures[0].evidence_id, pictures[0].content_type)
    for each in lives:
        assert [run async for run in house.temporal.list_workflows(f"WorkflowId = '{each.handle.id}'")] == []
        with pytest.raises(RPCError) as gone:
            await each.handle.describe()
        assert gone.value.status is RPCStatusCode.NOT_FOUND
    assert await house.pool.fetchrow(MONEY) == money and not await ownership.violations(house.pool)
    assert await audit.broken_at() is None and await audit.count() > rows
    assert await audit.hashes([anchored.id]) == {anchored.id: anchored.hash}, "anchors of before hold"
    detail = await OrderStore(house.pool).view(life.order.order_no)
    assert detail is not None and (await second.shown()).refunded_minor == 3_000
    assert await house.office.approvals.list(state=None, order_no=life.order.order_no)
    replays = InboxReplays(house.pool)
    told = await replays.select(Selection(order_no=life.order.order_no, states=("applied",)), 100)
    with pytest.raises(OrderErased, match="was forgotten"):
        await replays.replay(told, "u-ops", house.now())


async def test_what_an_erased_row_says_is_vouched_for(
    controls: Controls, lives: tuple[ScenarioOrder, Case, Case]
) -> None:
    """Whoever owns the database cannot call a row erased to change it."""
    house, audit = controls.house, AuditStore(controls.house.pool)
    await all_ended(house, lives[0])
    await forgotten(controls, lives)
    erased = await house.pool.fetchval("SELECT min(id) FROM audit WHERE erased_by IS NOT NULL")
    assert await audit.broken_at() is None
    await house.pool.execute("ALTER TABLE audit DISABLE TRIGGER audit_only_grows")
    more = 'UPDATE audit SET detail = detail || \'{"who": "me"}\' WHERE id = $1'
    await house.pool.execute(more, erased)
    assert await audit.broken_at() == erased
    await house.pool.execute("UPDATE audit SET detail = detail - 'who' WHERE id = $1", erased)
    assert await audit.broken_at() is None
    by = await house.pool.fetchval("SELECT erased_by FROM audit WHERE id = $1", erased)
    another = await house.pool.fetchval("SELECT min(id) FROM audit WHERE erased_by IS NULL")
    await house.pool.execute("UPDATE audit SET actor = 'nobody', erased_by = $2 WHERE id = $1", another, by)
    assert await audit.broken_at() is not None


async def test_who_has_anything_open_is_not_forgotten(
    controls: Controls, lives: tuple[ScenarioOrder, Case, Case]
) -> None:
    house = controls.house
    for buyer, said in ((BUYER, f"order {lives[0].order.order_no} has not ended"), ("B-NONE", "has no order")):
        with pytest.raises(ChangeNotAsked) as refused:
            await controls.client().ask(ForgetBuyer(buyer_id=buyer), 1, "u-sup")
        assert (refused.value.type, said in refused.value.why) == ("ChangeRefused", True)
    assert f"inbox: {NAME}" in await found(house.pool)


async def test_neither_one_person_alone_nor_another_role_forgets_a_buyer(
    controls: Controls, lives: tuple[ScenarioOrder, Case, Case]
) -> None:
    with pytest.raises(CommandRefused):
        await controls.client().ask(FORGET, 1, "u-cs")
    await all_ended(controls.house, lives[0])
    approval = await controls.ask(FORGET, "u-admin1", 2)
    for person in ("u-admin1", "u-sup", "u-fin"):
        with pytest.raises(DecisionNotTaken):
            await controls.decided(controls.house.office.decision(approval, person))
    async with logged_in(controls.house.url, "oms_worker") as books:
        for sql in ("SELECT begin_erasure($1, now())", "SELECT erase_approval($1, '{}', '')"):
            with pytest.raises(InsufficientPrivilegeError):
                await books.execute(sql, approval.request.approval_id)
        await books.execute("SELECT erase_words($1, now())", approval.request.approval_id)
    assert f"orders: {NAME}" in await found(controls.house.pool)


async def test_forgetting_again_changes_nothing_more(
    controls: Controls, lives: tuple[ScenarioOrder, Case, Case]
) -> None:
    await all_ended(controls.house, lives[0])
    await forgotten(controls, lives)
    before = await controls.audited("buyer.erased")
    again = await controls.ask(FORGET, "u-sup", 2)
    assert (await controls.decide(again, "u-admin2")).state == "made"
    assert await controls.audited("buyer.erased") == before + 1
    assert await AuditStore(controls.house.pool).broken_at() is None
