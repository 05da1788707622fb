"""How each outside system is asked how things stand. A new channel: one function here, an entry in provider_clients."""

import asyncio
from collections.abc import Awaitable, Callable, Mapping, Sequence
from dataclasses import dataclass, field
from typing import Protocol

from domain.clock import Clock
from domain.facts import Fact
from providers import alipay as ali
from providers.callbacks import TracePoint
from providers.errors import ProviderError
from providers.kuaidi100.client import Kuaidi100
from providers.payment_errors import NotFound
from providers.qimen import QimenWms
from providers.sf.client import Sf
from providers.wechat import WechatPay, refund_facts, trade_facts
from store.polling.due import Subject
from store.polling.polling import Scope
from telemetry import activity_failures


@dataclass(frozen=True)
class SystemAnswer:
    """What a system says about one subject, in the words its own messages would have used."""

    facts: tuple[Fact, ...] = ()
    trace: tuple[TracePoint, ...] = field(default=(), repr=False)


Ask = Callable[[Subject], Awaitable[SystemAnswer]]
"""Raises a `ProviderError`. What the system does not know is no error: it has told nothing."""


@dataclass(frozen=True)
class Connector:
    """One outside system that can be asked. `spacing_s`: about one subject at most this often."""

    scope: Scope
    ask: Ask
    spacing_s: int


def connector_of(connectors: Mapping[str, Connector], channel: str, subject: Subject) -> str | None:
    """Who can be asked about `subject` of an order paid through `channel`."""
    for name, connector in connectors.items():
        if connector.scope.takes(channel, subject):
            return name
    return None


@dataclass
class AskResult:
    """One round. `answers`: by subject; `error`: the last failure."""

    answers: list[tuple[Subject, SystemAnswer]] = field(default_factory=list)
    unasked: list[Subject] = field(default_factory=list)
    failed: int = 0
    error: str = ""

    @property
    def down(self) -> bool:
        """Nothing was answered, and not for want of questions."""
        return self.failed > 0 and not self.answers


class RateLimit(Protocol):
    """How fast questions may be asked."""

    @property
    def rate_per_s(self) -> int: ...
    @property
    def at_once(self) -> int: ...


async def ask_each(ask: Ask, subjects: Sequence[Subject], pace: RateLimit, alive: Callable[[], None]) -> AskResult:
    """Asks about each, side by side within `pace`; a subject that fails does not hold the others. When the first ones
    all fail the system is taken to be down and the rest is left alone."""
    round_, slots, loop = AskResult(), asyncio.Semaphore(pace.at_once), asyncio.get_running_loop()
    began = loop.time()

    def given_up() -> bool:
        return round_.down and round_.failed >= pace.at_once

    async def one(n: int, subject: Subject) -> None:
        async with slots:
            if not given_up():
                await asyncio.sleep(began + n / pace.rate_per_s - loop.time())
            if given_up():
                round_.unasked.append(subject)
                return
            try:
                round_.answers.append((subject, await ask(subject)))
            except Exception as error:  # whatever is wrong with one answer must not hold the others
                round_.failed += 1
                round_.error = f"{subject.kind} {subject.number}: {error}"[:500]
                _count(subject, error)
            alive()

    await asyncio.gather(*(one(n, subject) for n, subject in enumerate(subjects)))
    return round_


def _count(subject: Subject, error: Exception) -> None:
    if isinstance(error, ProviderError):
        activity_failures.labels(system=error.system, outcome=error.outcome).inc()
    else:
        activity_failures.labels(system=subject.kind, outcome="unreadable").inc()


# --- one function a system -------------------------------------------------------------------------------------------


def wechat(pay: WechatPay, merchant_id: str, clock: Clock) -> Ask:
    async def ask(subject: Subject) -> SystemAnswer:
        try:
            if subject.kind == "refund":
                refund = await pay.query_refund(subject.number)
                return SystemAnswer(refund_facts(refund, merchant_id=merchant_id, seen_at=clock()))
            return SystemAnswer(trade_facts(await pay.query(subject.number)))
        except NotFound:
            return SystemAnswer()

    return ask


def alipay(pay: ali.Alipay, seller_id: str, clock: Clock) -> Ask:
    """A refund that is not found has failed or never arrived; the order that waits for it repeats it."""

    async def ask(subject: Subject) -> SystemAnswer:
        try:
            if subject.kind == "refund":
                refund = await pay.query_refund(subject.order_no, subject.number)
                return SystemAnswer(ali.refund_facts(refund, merchant_id=seller_id, seen_at=clock()))
            return SystemAnswer(ali.trade_facts(await pay.query(subject.number)))
        except NotFound:
            return SystemAnswer()

    return ask


def qimen(wms: QimenWms) -> Ask:
    async def ask(subject: Subject) -> SystemAnswer:
        return SystemAnswer((await wms.query(subject.number, warehouse=subject.warehouse or "")).facts)

    return ask


def kuaidi100(courier: Kuaidi100) -> Ask:
    async def ask(subject: Subject) -> SystemAnswer:
        trace = await courier.query(subject.carrier or "", subject.number, subject.phone)
        return SystemAnswer(trace.facts, trace.points)

    return ask


def sf(express: Sf) -> Ask:
    async def ask(subject: Subject) -> SystemAnswer:
        (trace,) = await express.query([subject.number], subject.phone)
        return SystemAnswer(trace.facts, trace.points)

    return ask
