"""The database is away, or never takes a step: few events, one question, and everything goes on by itself after."""

from datetime import timedelta

from temporalio.client import WorkflowUpdateStage

from tests.workflows.conftest import Plays
from tests.workflows.orders import one_parcel_order
from tests.workflows.play import Play, kinds
from workflows.messages import ResolveTicket

MINUTE = timedelta(minutes=1)
HOUR = timedelta(hours=1)
AWAY = "connection refused"
NEGATIVE = "stock moves refused, nothing was moved: L1 would go to -1"


async def away_after_paying(play: Play) -> None:
    await play.start_paid(one_parcel_order())
    play.world.books.failing = AWAY
    await play.ships(1)


async def test_a_database_that_is_away_for_two_days_costs_few_events_and_the_order_goes_on_by_itself(
    plays: Plays,
) -> None:
    async with plays() as play:
        await away_after_paying(play)
        before = kinds(await play.history()).total()
        for _ in range(8):
            await play.pass_time(6 * HOUR)
        assert kinds(await play.history()).total() - before < 40
        (ticket,) = await play.tickets()
        assert (ticket.system, ticket.step, ticket.severity) == ("store", "step in our books", "urgent")
        assert AWAY in ticket.error and play.world.account.open_tickets == []
        play.world.books.failing = ""
        await play.pass_time(10 * MINUTE)
        assert not await play.tickets() and await play.statuses() == ("SHIPPED", "SHIPPED")
        assert play.world.account.resolutions[ticket.ticket_id].action == "evidence"
        assert ticket.ticket_id in play.world.account.tickets and play.world.account.status == "SHIPPED"
        assert await play.finish() == "COMPLETED"


async def test_a_database_that_is_away_for_a_moment_is_nobodys_question(plays: Plays) -> None:
    async with plays() as play:
        await away_after_paying(play)
        await play.pass_time(2 * MINUTE)
        play.world.books.failing = ""
        await play.pass_time(2 * MINUTE)
        assert not play.world.account.tickets and play.world.account.status == "SHIPPED"


async def test_a_write_that_the_books_never_take_is_a_question_with_its_cause_within_minutes(plays: Plays) -> None:
    async with plays() as play:
        await play.start_paid(one_parcel_order())
        play.world.books.failing, play.world.books.still_takes = NEGATIVE, frozenset({"stalled"})
        await play.ships(1)
        await play.pass_time(4 * MINUTE)
        (ticket,) = play.world.account.open_tickets
        assert NEGATIVE in ticket.error and ticket.actions == ("retry",)
        await play.pass_time(4 * HOUR)
        assert [t.ticket_id for t in await play.tickets()] == [ticket.ticket_id], "it is one question all the time"
        play.world.books.failing = ""
        await play.resolve("retry")
        assert play.world.account.status == "SHIPPED" and not await play.tickets()
        assert await play.finish() == "COMPLETED"


async def test_a_retry_that_fails_again_asks_again(plays: Plays) -> None:
    async with plays() as play:
        await away_after_paying(play)
        await play.pass_time(4 * MINUTE)
        first = await play.ticket()
        answer = ResolveTicket(ticket_id=first.ticket_id, action="retry", remark="seen", by="ops")
        asked = await play.handle.start_update("resolve_ticket", answer, wait_for_stage=WorkflowUpdateStage.ACCEPTED)
        await play.pass_time(4 * MINUTE)
        assert (await play.ticket()).ticket_id != first.ticket_id
        play.world.books.failing = ""
        await play.pass_time(10 * MINUTE)
        await asked.result()
        assert not await play.tickets() and play.world.account.status == "SHIPPED"


async def test_an_order_that_is_paid_while_the_database_is_away_is_settled_after(plays: Plays) -> None:
    async with plays() as play:
        await play.start(one_parcel_order())
        play.world.books.failing = AWAY
        await play.pay()
        await play.pass_time(HOUR)
        assert (await play.ticket()).system == "store"
        play.world.books.failing = ""
        await play.pass_time(10 * MINUTE)
        assert not await play.tickets()
        await play.ships(1)
        assert await play.statuses() == ("SHIPPED", "SHIPPED")
