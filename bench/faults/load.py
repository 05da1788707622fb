"""Orders arriving at a fixed rate, whatever the system does (open loop), each played to its end."""

import asyncio
from collections.abc import Sequence

import httpx
from rich.console import Console
from rich.progress import Progress

from bench.demo.environment import DemoEnvironment, TookTooLong
from bench.demo.staffing import OPERATOR, STAFF
from domain.order import StartOrder
from starter.clients.errors import DuplicateOrder, NoAnswer, NotNow, OrderError, OrderNotFound
from workflows.messages import ResolveTicket
from workflows.order.messages import ConfirmReceipt

TRY_AGAIN_S = 2.0
ARRIVED = ("DELIVERED", "COMPLETED")


class Load:
    def __init__(self, stage: DemoEnvironment, orders: Sequence[StartOrder], per_second: float) -> None:
        self.stage = stage
        self.orders = orders
        self.per_second = per_second
        self.started = 0
        self.troubles: list[str] = []

    def under_way(self, share: float) -> bool:
        return self.started >= share * len(self.orders)

    async def run(self, console: Console) -> list[str]:
        """Returns what went wrong, a line each, once every order has ended and the inbox is empty."""
        await self.stage.office.hire({OPERATOR: STAFF[OPERATOR]})
        watching = asyncio.create_task(self.stage.watch(lambda: [o.order_no for o in self.orders]))
        healing = asyncio.create_task(self._resolve_tickets())
        try:
            with Progress(console=console) as progress:
                bar = progress.add_task("orders ended", total=len(self.orders))

                async def one(order: StartOrder, at_s: float) -> None:
                    await asyncio.sleep(at_s)
                    self.started += 1
                    await self._play(order)
                    progress.advance(bar)

                await asyncio.gather(*(one(o, i / self.per_second) for i, o in enumerate(self.orders)))
            await self._drained()
        finally:
            watching.cancel()
            healing.cancel()
        return self.troubles

    async def _play(self, order: StartOrder) -> None:
        try:
            await self._surely_start(order)
            await self._surely_pay(order)
            seen = await self.stage.until(order.order_no, "delivery", lambda s: s.ended or s.status in ARRIVED)
            if seen.status not in ARRIVED:
                self.troubles.append(f"{order.order_no}: it has ended as {seen.status}, {seen}")
                return
            await self._surely_confirm(order)
            await self.stage.until(order.order_no, "its end", lambda s: s.ended)
        except (TookTooLong, OrderError, RuntimeError) as error:
            self.troubles.append(f"{order.order_no}: {error}")

    async def _surely_start(self, order: StartOrder) -> None:
        """A shop that got no answer asks again; the order number keeps it one order."""
        while True:
            try:
                await self.stage.client.start(order)
                return
            except DuplicateOrder:
                await self.stage.until(order.order_no, "registration", lambda s: s.status != "-")
                return
            except NoAnswer:
                await asyncio.sleep(TRY_AGAIN_S)

    async def _surely_pay(self, order: StartOrder) -> None:
        """The buyer can pay once the channel knows the order."""
        for _ in range(200):
            try:
                await self.stage.pay(order)
                return
            except (RuntimeError, OSError, httpx.TransportError):
                await asyncio.sleep(TRY_AGAIN_S)

    async def _surely_confirm(self, order: StartOrder) -> None:
        while not self.stage.seen[order.order_no].ended:
            try:
                await self.stage.client.confirm_receipt(order.order_no, ConfirmReceipt(by="buyer"))
                return
            except (NotNow, OrderNotFound):
                return
            except NoAnswer:
                await asyncio.sleep(TRY_AGAIN_S)

    async def _resolve_tickets(self) -> None:
        """The person at the desk: whatever has failed to the end of its tries is tried again."""
        while True:
            for order_no, seen in list(self.stage.seen.items()):
                if seen.ticket_id is not None:
                    answer = ResolveTicket(ticket_id=seen.ticket_id, action="retry", remark="try again", by=OPERATOR)
                    try:
                        await self.stage.client.resolve_ticket(order_no, answer)
                    except (NotNow, NoAnswer, OrderNotFound):  # answered already, over, or asked again soon
                        continue
                    except OrderError as refused:
                        self.troubles.append(f"{order_no}: an answer was refused: {refused}")
                        return
            await asyncio.sleep(TRY_AGAIN_S)

    async def _drained(self) -> None:
        async with asyncio.timeout(self.stage.patience_s):
            while await self.stage.pool.fetchval(
                "SELECT EXISTS (SELECT FROM inbox WHERE state IN ('received', 'delivered'))"
            ):
                await asyncio.sleep(0.5)
