"""Concurrent returns, approvals and channel faults in any order keep the books true (M1-M6, S1, S3, A1, A2)."""

import asyncio
import itertools
import secrets
from collections.abc import Coroutine, Iterator
from typing import Any, TypeVar

import pytest
from hypothesis import HealthCheck, settings
from hypothesis import strategies as st
from hypothesis.stateful import (
    RuleBasedStateMachine,
    initialize,
    invariant,
    precondition,
    rule,
    run_state_machine_as_test,
)

from deploy.local.postgres import COPIED
from domain.returns.enums import Grade, Reason, ReturnType
from store.audit.audit import AuditStore
from store.pool import Pool, open_pool
from tests.postgres import administer, at, template
from tests.store.cases import an_application
from tests.store.return_world import Case, Fault, World, broken

T = TypeVar("T")
LINES = st.dictionaries(st.sampled_from(["L1", "L2"]), st.integers(1, 3), min_size=1)
TYPES = st.sampled_from([ReturnType.RETURN_REFUND, ReturnType.REFUND_ONLY, ReturnType.EXCHANGE])
FAULTS = st.sampled_from(["none", "answer lost", "refused first", "down"])
ORDERS = itertools.count(1)


class Books:
    """One database and one event loop for all examples; each example has an order of its own."""

    def __init__(self) -> None:
        self.loop = asyncio.new_event_loop()
        self.name = f"oms_test_{secrets.token_hex(6)}"
        self.do(administer(f"CREATE DATABASE {self.name} TEMPLATE {template()} {COPIED}"))
        self.pool: Pool = self.do(open_pool(at(self.name), max_size=20, application="test"))

    def do(self, work: Coroutine[Any, Any, T]) -> T:
        return self.loop.run_until_complete(work)

    def end(self) -> None:
        self.do(self.pool.close())
        self.do(administer(f"DROP DATABASE {self.name} WITH (FORCE)"))
        self.loop.close()


@pytest.fixture
def books() -> Iterator[Books]:
    opened = Books()
    yield opened
    opened.end()


def machine(books: Books) -> type[RuleBasedStateMachine]:
    class Machine(RuleBasedStateMachine):
        @initialize()
        def an_order(self) -> None:
            self.world = World(books.pool, f"SO-MACHINE-{next(ORDERS)}")
            books.do(self.world.begin())

        def case(self, n: int) -> Case:
            return self.world.cases[n % len(self.world.cases)]

        @rule(lines=LINES, kind=TYPES, rivals=st.integers(1, 4))
        def apply_at_once(self, lines: dict[str, int], kind: ReturnType, rivals: int) -> None:
            applications = []
            for _ in range(rivals):
                self.world.numbers += 1
                number = f"RT{self.world.order_no[-6:]}-{self.world.numbers}"
                changes = {"lines": lines, "type": kind, "reason": Reason.QUALITY_PROBLEM}
                applications.append(an_application(number, self.world.order_no, **changes))
            admitted = books.do(self.world.apply(applications))
            left = {"L1": 3, "L2": 2}
            assert admitted <= min(left[line] // qty for line, qty in lines.items())

        @precondition(lambda self: self.world.cases)
        @rule(n=st.integers(0, 9))
        def approve(self, n: int) -> None:
            books.do(self.world.approve(self.case(n)))

        @precondition(lambda self: self.world.cases)
        @rule(n=st.integers(0, 9), grade=st.sampled_from(list(Grade)))
        def inspect(self, n: int, grade: Grade) -> None:
            books.do(self.world.inspect(self.case(n), grade))

        @precondition(lambda self: self.world.cases)
        @rule(n=st.integers(0, 9), fault=FAULTS, times=st.integers(1, 4))
        def pay(self, n: int, fault: Fault, times: int) -> None:
            books.do(self.world.pay(self.case(n), fault, times))

        @precondition(lambda self: self.world.cases)
        @rule(n=st.integers(0, 9))
        def close(self, n: int) -> None:
            books.do(self.world.close(self.case(n)))

        @rule(amount=st.integers(1, 11_000), line=st.sampled_from(["L1", "L2"]), qty=st.integers(0, 2))
        def the_order_gives_back(self, amount: int, line: str, qty: int) -> None:
            books.do(self.world.order_gives_back(amount, {line: qty} if qty else {}))

        @invariant()
        def the_books_are_true(self) -> None:
            if hasattr(self, "world"):
                assert books.do(broken(self.world)) == []

    return Machine


def test_whatever_happens_at_once_the_books_stay_true(books: Books) -> None:
    limits = settings(
        max_examples=8, stateful_step_count=12, deadline=None, suppress_health_check=list(HealthCheck), print_blob=True
    )
    run_state_machine_as_test(machine(books), settings=limits)
    assert books.do(AuditStore(books.pool).broken_at()) is None
