"""The work on the warehouse floor: every order moves by itself, stage by stage, and is reported on the way.

One timer per order waits for the next thing to do; whatever changes an order calls `expect`, which arms the next one.
"""

from collections.abc import Callable, Mapping
from dataclasses import dataclass, field
from datetime import datetime, timedelta

from sandbox.core import Sandbox
from sandbox.qimen import reports, state
from sandbox.qimen.peer_systems import PeerSystems
from sandbox.qimen.state import Order, State, ids_of

LABEL_S = 20.0
"""When somebody first looks again whether the box has its label; then after twice as long, and so on."""
SELDOM = 32
"""Times that: a warehouse full of boxes without labels does nothing but look."""
HANDOVER_S = 60.0
AT_LEAST_S = 0.25
"""Real seconds between two calls to a neighbour, however fast the world runs."""


@dataclass(frozen=True)
class StageTimes:
    """Seconds before each step, to be divided by the speed. `slower`: warehouses that take so many times as long."""

    accept: float
    pick: float
    pack: float
    ship: float
    cancel: float
    slower: Mapping[str, float] = field(default_factory=dict)


class WarehouseFlow:
    def __init__(self, box: Sandbox, book: State, neighbours: PeerSystems, pace: StageTimes, callback_url: str) -> None:
        self._box, self._books, self._neighbours = box, book, neighbours
        self._pace, self._callback_url = pace, callback_url
        self._rounds: dict[str, int] = {}
        self._looks: dict[str, int] = {}

    def resume(self) -> None:
        """After a restart: report what a kill kept from being reported, and go on."""
        self._neighbours.open()
        for order in self._books.orders.values():
            self._report_again(order)
            self.expect(order)

    async def stop(self) -> None:
        await self._neighbours.close()

    def expect(self, order: Order) -> None:
        """Arm the timer for whatever comes next; an older one of this order is void."""
        self._rounds[order.code] = mine = self._rounds.get(order.code, 0) + 1
        step = self._next(order)
        if step is None:
            return
        since, delay_s, act = step
        delay_s *= self._pace.slower.get(order.warehouse, 1.0)
        due = since + timedelta(seconds=delay_s / self._box.settings.speed)
        wait_s = max(0.0, (due - self._box.clock()).total_seconds())

        def run() -> None:
            if self._rounds[order.code] == mine:
                act(order)

        self._box.later(wait_s * self._box.settings.speed, run)

    def _next(self, order: Order) -> tuple[datetime, float, Callable[[Order], None]] | None:
        if order.cancel_since is not None and order.cancel_wins and order.stage != state.CANCELED:
            return order.cancel_since, self._pace.cancel, self._take_out
        pace = self._pace
        steps: dict[str, tuple[float, Callable[[Order], None]]] = {
            state.NEW: (pace.accept, self._reject if order.fault == "reject" else self._accept),
            state.ACCEPT: (pace.pick, self._pick),
            state.PICK: (pace.pack, self._pack),
            state.PACKAGE: (pace.ship, self._look_for_label),
        }
        if order.stage == state.DELIVERED and not order.handed_over:
            return order.since, 0.0, self._hand_over
        return (order.since, *steps[order.stage]) if order.stage in steps else None

    def _accept(self, order: Order) -> None:
        self._go(order, state.ACCEPT)

    def _reject(self, order: Order) -> None:
        self._go(order, state.REJECT)

    def _pick(self, order: Order) -> None:
        actual = [line.planned for line in order.lines]
        if order.fault == "short_pick":
            fullest = max(range(len(actual)), key=lambda n: actual[n])
            actual[fullest] -= 1
        self._books.pick(order, actual)
        self._report(order, state.PICK)
        if order.fault == "short_pick":
            self._report(order, "LACK")
        self.expect(order)

    def _pack(self, order: Order) -> None:
        # An empty box is not packed: somebody has to decide.
        self._go(order, state.PACKAGE if any(order.units().values()) else state.EXCEPTION)

    def _look_for_label(self, order: Order) -> None:
        mine = self._rounds[order.code]

        def found(label: tuple[str, str] | None) -> None:
            if self._rounds[order.code] != mine:
                return  # cancelled while we looked
            if label is None:
                looks = self._looks[order.code] = self._looks.get(order.code, 0) + 1
                self._later(LABEL_S, lambda: self._look_again(order, mine), min(2 ** (looks - 1), SELDOM))
            else:
                self._looks.pop(order.code, None)
                self._ship(order, *label)

        self._neighbours.ask_label(order, found)

    def _look_again(self, order: Order, mine: int) -> None:
        if self._rounds[order.code] == mine:
            self._look_for_label(order)

    def _ship(self, order: Order, waybill_no: str, carrier: str) -> None:
        self._books.ship(order, waybill_no, carrier)
        self._report(order, state.DELIVERED)
        if order.cancel_since is not None:
            self._report(order, "CANCELEDFAIL")
        self.expect(order)

    def _hand_over(self, order: Order) -> None:
        def handed(taken: bool) -> None:
            if taken:
                self._books.hand_over(order)
            else:
                self._later(HANDOVER_S, lambda: self._hand_over(order))

        self._neighbours.hand_over(order, handed)

    def _later(self, delay_s: float, call: Callable[[], None], times: int = 1) -> None:
        self._box.later(max(delay_s, AT_LEAST_S * self._box.settings.speed) * times, call)

    def _take_out(self, order: Order) -> None:
        self._go(order, state.CANCELED)

    def _go(self, order: Order, stage: str) -> None:
        self._books.move(order, stage)
        self._report(order, stage)
        self.expect(order)

    def _report_again(self, order: Order) -> None:
        asked_to_cancel = order.cancel_since is not None
        if order.stage != state.NEW and (order.stage != state.CANCELED or asked_to_cancel):
            self._report(order, order.stage)
        if order.stage == state.PICK and order.fault == "short_pick":
            self._report(order, "LACK")
        if order.stage == state.DELIVERED and asked_to_cancel:
            self._report(order, "CANCELEDFAIL")

    def _report(self, order: Order, status: str) -> None:
        if status in order.reported or order.fault == "silence":
            return
        order.reported.add(status)
        at = self._box.clock()
        if status == state.DELIVERED:
            method, body = reports.CONFIRM, reports.confirm(order, at)
        elif status == "LACK":
            method, body = reports.LACK, reports.lack(order, at)
        else:
            method, body = reports.PROCESS, reports.process(order, status, at)
        ids = ids_of(order.code)
        self._box.outbox.post(
            status,
            self._callback_url,
            {"method": method, "body": body.decode()},
            order_no=ids["order_no"],
            ids={**ids, "method": method},
            callback_id=f"{order.code}:{status}",
        )
