"""One callback: verify, store, and only then say thank you, in the source's own words."""

import hashlib
from collections.abc import Callable, Mapping

import structlog

from domain.access.addresses import Addresses
from domain.clock import Clock
from domain.records import TicketRecord
from providers.callbacks import Answer, Callback, CallbackRefused, RawRequest, Receiver
from relay.inbound.refusals import Refusals
from relay.inbound.source_rules import SourceRules
from relay.metrics import UNSTORED
from relay.micro_batch import Batch
from relay.tracing import current_traceparent
from store.inbox.inbox import Added, Incoming, RefusedMessage
from store.tickets.tickets import TicketStore
from telemetry import callbacks_received

log = structlog.get_logger("relay")


class UnableToStore(RuntimeError):
    """The message is not in the inbox, so it must not be acknowledged: the source has to send it again."""


class TooManyRefusals(RuntimeError):
    """What this caller sends is refused again and again: it is told to come less often."""


class Intake:
    """All sources. `on_new` is called after each commit that brought something to deliver."""

    def __init__(
        self,
        receivers: Mapping[str, Receiver],
        *,
        inbox: Batch[Incoming, Added],
        refusals: Refusals,
        tickets: TicketStore,
        addresses: Addresses,
        clock: Clock,
        on_new: Callable[[], None] = lambda: None,
        rules: SourceRules | None = None,
    ) -> None:
        """`rules`: what people have decided about sources; None: nothing."""
        self._receivers = receivers
        self._inbox = inbox
        self._refusals = refusals
        self._tickets = tickets
        self._addresses = addresses
        self._clock = clock
        self._on_new = on_new
        self._rules = rules or SourceRules()

    def knows(self, source: str) -> bool:
        return source in self._receivers

    def most_bytes(self, source: str) -> int | None:
        """That a message of this source may have; None: as of all the others."""
        return getattr(self._receivers[source], "most_bytes", None)

    async def take(self, source: str, request: RawRequest) -> Answer:
        """The answer to send. Raises `UnableToStore` when the database does not take the message now, `TooManyRefusals`
        for one more that is not believed."""
        receiver = self._receivers[source]
        if not self._rules.known:
            raise UnableToStore("what was decided about this source is not known yet; send it again in a moment")
        try:
            callback = self._believed(receiver, request)
            await self._store(source, callback, request)
        except CallbackRefused as why:
            if not await self.note_refusal(source, request.remote_ip, why.reason, why.text, request.body):
                raise TooManyRefusals("too many of your calls were refused; the next ones are only counted") from None
            return receiver.refused(request, why)
        return receiver.accepted(request)

    async def note_refusal(self, source: str, caller: str, reason: str, text: str, body: bytes) -> bool:
        """Count and store a refusal. False: this caller has had enough of them stored."""
        row = RefusedMessage(source, caller, reason, text[:500], hashlib.sha256(body).digest(), self._clock())
        return await self._refusals.note(row)

    def _believed(self, receiver: Receiver, request: RawRequest) -> Callback:
        if not self._addresses.allowed(receiver.source, request.remote_ip):
            raise CallbackRefused("foreign_ip", "the caller's address is not on the list of this source", status=403)
        self._rules.insist(receiver.source, request.remote_ip)
        try:
            return receiver.read(request, self._clock())
        except CallbackRefused:
            raise
        except Exception as broken:
            log.exception("a receiver broke its promise", source=receiver.source)
            raise CallbackRefused("unreadable", "the message cannot be read", status=400) from broken

    async def _store(self, source: str, callback: Callback, request: RawRequest) -> None:
        message = Incoming(
            source=source,
            event_id=callback.event_id,
            kind=callback.kind,
            digest=_meaning(callback),
            body=request.body,
            facts=callback.facts,
            received_at=self._clock(),
            traceparent=current_traceparent(),
            trace=callback.trace,
        )
        told = {"source": source, "event_id": message.event_id, "kind": message.kind}
        try:
            added = await self._inbox.add(message)
        except Exception as failure:
            UNSTORED.labels(source).inc()
            log.error("unable to store a callback", **told, error=repr(failure)[:200])
            raise UnableToStore("the message cannot be stored now; send it again later") from failure
        order_no = next((fact.order_no for fact in message.facts if fact.order_no), None)
        # The row is the record; a line a callback would cost a fifth of the rate.
        log.debug("callback stored", **told, order_no=order_no, outcome=added.value)
        if added is Added.CONFLICT:
            await self._ask_about_conflict(message)
            raise CallbackRefused(
                "conflict", f"event {message.event_id[:100]} came before, saying something else", status=409
            )
        callbacks_received.labels(source).inc()
        if added is Added.NEW:
            self._on_new()

    async def _ask_about_conflict(self, message: Incoming) -> None:
        """A genuine message under a used id, and no rule says which of the two is true. One ticket an id."""
        which = hashlib.sha256(f"{message.source} {message.event_id}".encode()).hexdigest()[:16]
        ticket = TicketRecord(
            ticket_id=f"T-conflict-{which}",
            system=message.source,
            step="conflicting event",
            error=f"event {message.event_id} came twice with different contents; the first one counts",
            severity="urgent",
            actions=("give_up",),
            give_up_means="the first message stands; compare with the source's own books. The second is kept: "
            "`oms event list --state conflicting`",
        )
        try:
            await self._tickets.open_outside(ticket, None, message.received_at)
        except Exception as failure:
            log.error("unable to open a ticket", ticket=ticket.ticket_id, error=repr(failure)[:200])


def _meaning(callback: Callback) -> bytes:
    """SHA-256 of what the message says. WeChat encrypts every repeat anew: equal messages differ in their bytes."""
    said = [callback.kind, *(fact.model_dump_json() for fact in callback.facts)]
    for p in callback.trace:
        said += [p.waybill_no, p.key, p.at.isoformat(), p.status, p.text, p.place]
    # Lengths keep two fields from running into one.
    return hashlib.sha256("".join(f"{len(text)}:{text}" for text in said).encode()).digest()
