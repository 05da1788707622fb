"""The inbox's part: what an order's workflow found by asking gets a row, once, and counts as delivered."""

from collections.abc import MutableMapping
from itertools import count
from typing import Any

from temporalio import activity

from activities.messages import Facts
from activities.polling import Found, MayAsk
from tests.workflows.world.books import Books


class Inbox:
    """`rows`: row numbers by order and fact key. `not_now`: why a courier may not be asked, by waybill number."""

    def __init__(self, books: Books, told: MutableMapping[str, set[int]]) -> None:
        self._books = books
        self._told = told
        self._numbers = count(1_000_001)
        self.rows: dict[tuple[str, str], int] = {}
        self.not_now: dict[str, str] = {}

    def activities(self) -> list[Any]:
        return [self.hand_over, self.may_ask]

    @activity.defn(name="pull.hand_over")
    async def hand_over(self, found: Found) -> Facts:
        account = self._books.accounts[found.order_no]
        known = {event.key for event in account.events}
        news = [fact for fact in found.facts if fact.key not in known]
        for fact in news:
            number = self.rows.setdefault((found.order_no, fact.key), next(self._numbers))
            self._told[found.order_no].add(number)
        return Facts(facts=tuple(f.model_copy(update={"inbox_id": self.rows[found.order_no, f.key]}) for f in news))

    @activity.defn(name="pull.may_ask")
    async def may_ask(self, wish: MayAsk) -> str:
        return self.not_now.get(wish.number, "")
