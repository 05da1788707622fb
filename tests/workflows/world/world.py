"""All the fakes together, as one worker serves them."""

from collections import defaultdict
from collections.abc import Callable, Sequence
from typing import Any

from domain.policy import Policy
from domain.records import OrderWrite
from tests.workflows.world.books import Account, Books
from tests.workflows.world.border import BorderDesk
from tests.workflows.world.channel import Channel
from tests.workflows.world.faults import Faults
from tests.workflows.world.goods import Goods
from tests.workflows.world.inbox import Inbox
from tests.workflows.world.invariants import check
from tests.workflows.world.office import Office


class World:
    """Surroundings of any number of orders. Everything the outside did or was told is in a public ledger."""

    def __init__(self, policy: Policy | None = None, stock: dict[str, int] | None = None) -> None:
        self.faults = Faults()
        self.books = Books(policy, stock)
        self.channel = Channel(self.faults)
        self.goods = Goods(self.faults)
        self.border = BorderDesk(self.faults)
        self.office = Office()
        self.fail = self.faults.fail
        self.calls = self.faults.calls
        self.told: defaultdict[str, set[int]] = defaultdict(set)
        """Inbox rows delivered, by order number."""
        self.inbox = Inbox(self.books, self.told)

    @property
    def account(self) -> Account:
        """The books of the one order of this world."""
        (account,) = self.books.accounts.values()
        return account

    @property
    def last(self) -> OrderWrite:
        return self.account.last

    def activities(self) -> Sequence[Callable[..., Any]]:
        return [
            *self.books.activities(), *self.channel.activities(), *self.goods.activities(), *self.inbox.activities(),
            *self.border.activities(), *self.office.activities(),
        ]  # fmt: skip

    def check(self) -> None:
        """Raises `AssertionError` naming every invariant that is broken."""
        broken = [
            line for no, account in self.books.accounts.items() for line in check(account, self.channel, self.told[no])
        ]
        assert not broken, "\n".join(broken)
