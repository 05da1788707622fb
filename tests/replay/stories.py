"""The kinds of life whose histories are kept: together they pass every path that an open order may be on."""

from collections.abc import Awaitable, Callable
from datetime import timedelta

from domain.facts import Kind
from domain.records import Untagged
from tests.workflows.orders import one_parcel_order, order_message, two_parcel_order
from tests.workflows.play import Play

MINUTE = timedelta(minutes=1)
Story = Callable[[Play], Awaitable[None]]


async def completed(play: Play) -> None:
    """Two parcels, every scan, a refresh, receipt by the buyer."""
    await play.start_paid(two_parcel_order(order_no="R00COMPLETED"))
    for kind in (Kind.WMS_ACCEPTED, Kind.PICKING, Kind.PACKED, Kind.WAYBILL_RETURNED, Kind.IN_TRANSIT):
        await play.happens(kind, 1, 2)
    await play.refresh()
    await play.happens(Kind.SIGNED, 1)
    await play.happens(Kind.SIGNED, 2)
    await play.confirm()


async def received_by_itself(play: Play) -> None:
    """Repeated and early facts, receipt after ten days."""
    await play.start(one_parcel_order(order_no="R00AUTORECEIPT"))
    await play.happens(Kind.SIGNED, 1)
    paid = await play.pay()
    await play.tell(paid)
    await play.happens(Kind.COURIER_EXCEPTION, 1)


async def closed_unpaid(play: Play) -> None:
    await play.start(two_parcel_order(order_no="R00UNPAID"))
    await play.pass_time(31 * MINUTE)


async def late_payment(play: Play) -> None:
    await play.start(two_parcel_order(order_no="R00LATE"))
    await play.pass_time(31 * MINUTE)
    play.world.channel.refund_answers = ["PROCESSING"]
    await play.pay()


async def cancelled_unpaid(play: Play) -> None:
    await play.start(two_parcel_order(order_no="R00CANCELUNPAID"))
    await play.cancel()


async def cancelled(play: Play) -> None:
    """One parcel labelled, one pending at the warehouse until a person decides; both stopped, one refund."""
    await play.start_paid(two_parcel_order(order_no="R00CANCELLED"))
    await play.happens(Kind.PACKED, 1)
    play.world.goods.intercept[play.child(2)] = "pending"
    await play.begin_cancel()
    await play.pass_time(121 * MINUTE)
    await play.resolve("supply", {"result": "cancelled"})


async def partly_cancelled(play: Play) -> None:
    """One has shipped, one is too late, and the warehouse cancels the last one by itself."""
    await play.start_paid(two_parcel_order(order_no="R00PARTLY"))
    await play.ships(1)
    play.world.goods.intercept[play.child(2)] = "too_late"
    await play.cancel()
    await play.happens(Kind.INTERCEPTED, 2)


async def backorder(play: Play) -> None:
    play.world.books.stock = {"L1": 3}
    await play.start_paid(one_parcel_order(qty=5, order_no="R00BACKORDER"))
    await play.ships(1)
    await play.happens(Kind.STOCK_ARRIVED, 2)
    await play.ships(2)


async def outage(play: Play) -> None:
    """Payment, warehouse and carrier down in turn, every kind of answer to a ticket, a parcel given up."""
    play.world.fail("create", 4)
    await play.start(two_parcel_order(order_no="R00OUTAGE"))
    await play.pass_time(MINUTE)
    await play.resolve("retry")
    play.world.fail("push")
    await play.pay()
    await play.pass_time(MINUTE)
    first, second = await play.tickets()
    await play.resolve("supply", {"wms_ref": "BY-HAND"}, ticket_id=first.ticket_id)
    await play.resolve("give_up", ticket_id=second.ticket_id)
    play.world.fail("book", how="refused")
    await play.happens(Kind.PACKED, 1)
    await play.happens(Kind.WAYBILL_RETURNED, 1, waybill_no="SF1000000000001", carrier="SF")


async def unanswered_channel(play: Play) -> None:
    """Nobody knows at the deadline whether it was paid; then a person knows."""
    play.world.fail("query")
    await play.start(two_parcel_order(order_no="R00UNANSWERED"))
    await play.pass_time(32 * MINUTE)
    await play.resolve("give_up")


async def short_pick(play: Play) -> None:
    """A unit is missing, its refund is abnormal and paid by hand."""
    await play.start_paid(one_parcel_order(order_no="R00SHORT"))
    await play.happens(Kind.SHORT_PICKED, 1, actual={"L1": 1})
    await play.ships(1)
    play.world.channel.refund_answers = ["ABNORMAL"]
    await play.resolve("give_up")
    await play.resolve("give_up")


async def rejected(play: Play) -> None:
    await play.start_paid(one_parcel_order(order_no="R00REJECTED"))
    await play.happens(Kind.WMS_REJECTED, 1, note="no such SKU")
    await play.resolve("retry")
    await play.ships(1)


async def at_the_border(play: Play) -> None:
    """Over a limit, refused once, let in; its sibling is cancelled at the border."""
    message = order_message(order_no="R00BORDER")
    for line in message["lines"]:
        line["tags"]["customs"] = "cbec"
    play.world.border.limit = "over a limit"
    await play.start_paid(two_parcel_order(**message))
    first, second = await play.tickets()
    play.world.border.limit = ""
    await play.resolve("retry", ticket_id=first.ticket_id)
    await play.resolve("give_up", ticket_id=second.ticket_id)
    await play.happens(Kind.CUSTOMS_REFUSED, 1, note="names differ")
    await play.resolve("retry")
    await play.happens(Kind.CUSTOMS_RELEASED, 1)
    await play.ships(1)


async def untagged(play: Play) -> None:
    """A SKU that nobody has tagged: asked about, retried too early, then tagged."""
    cup, tea = Untagged(line_id="L1", sku="CUP"), Untagged(line_id="L2", sku="TEA")
    play.world.books.untagged = (cup, tea)
    await play.start_paid(two_parcel_order(order_no="R00UNTAGGED"))
    play.world.books.untagged = (tea,)
    await play.resolve("retry")
    play.world.books.untagged = ()
    await play.resolve("retry")
    await play.ships(1, 2)


STORIES: dict[str, Story] = {
    story.__name__: story
    for story in (
        completed, received_by_itself, closed_unpaid, late_payment, cancelled_unpaid, cancelled, partly_cancelled,
        backorder, outage, unanswered_channel, short_pick, rejected,
        at_the_border, untagged,
    )
}  # fmt: skip


async def play_out(play: Play, story: Story) -> None:
    """The story, then every wait to the end, and the invariants."""
    await story(play)
    await play.finish()
    play.world.check()
