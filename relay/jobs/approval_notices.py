"""Tells people that a decision is asked of them, in each way that reaches them; what fails is tried three times more,
then only counted: the question stands in the console all the same."""

import asyncio
from datetime import datetime, timedelta

import structlog

from domain.access.approval_notices import notice_text, notice_title
from domain.clock import Clock
from domain.retries import delay_before_retry
from providers.errors import ProviderError, Refused
from providers.messengers.port import LinkMessage
from relay.jobs.approval_tellers import Teller
from relay.jobs.notices import WAITS_S
from relay.jobs.periodic import Watch
from relay.metrics import APPROVAL_NOTICES
from store.approvals.notices import ATTEMPTS, ApprovalNoticeStore, DueNotice

log = structlog.get_logger("relay")
AT_ONCE = 4
LOOK_S = 2.0
LEASE_S = 60.0
"""Far longer than an attempt may take: who still holds a claim then is dead."""
BUTTON = "打开审批 / Open"


class ApprovalNotices(Watch):
    """`console_url`: where the questions stand. Any number of relays may have one: one of them claims a notice."""

    def __init__(
        self, store: ApprovalNoticeStore, teller: Teller, console_url: str, clock: Clock, *, look_s: float = LOOK_S
    ) -> None:  # fmt: skip
        super().__init__(f"notices of decisions by {teller.way}", look_s)
        self._store = store
        self._teller = teller
        self._console_url = console_url
        self._clock = clock

    async def look(self) -> int:
        """Everything that is due now. Returns how many were sent or tried."""
        teller, tried = self._teller, 0
        await self._store.address(teller.way, teller.prefix, teller.only, self._clock())
        while notices := await self._store.claim(teller.way, self._clock(), LEASE_S, AT_ONCE):
            await asyncio.gather(*map(self._tell, notices))
            tried += len(notices)
        return tried

    async def _tell(self, notice: DueNotice) -> None:
        message = LinkMessage(
            notice_title(notice.kind), notice_text(notice.kind, notice.approval_id, notice.opened_at),
            self._teller.link(self._console_url, notice.approval_id), BUTTON,
        )  # fmt: skip
        outcome = "sent"
        try:
            await self._teller.tell(notice.person_id, message)
            await self._store.sent(notice, self._clock())
        except ProviderError as why:
            outcome = why.outcome
            await self._store.failed(notice, self._next_try_at(notice, why), self._clock())
        APPROVAL_NOTICES.labels(outcome).inc()
        log.info(
            "notice of a decision", approval=notice.approval_id, by=notice.way, attempt=notice.attempt, outcome=outcome
        )

    def _next_try_at(self, notice: DueNotice, why: ProviderError) -> datetime | None:
        """A refusal is final: nobody would be there the next time either."""
        if isinstance(why, Refused) or notice.attempt >= ATTEMPTS:
            return None
        return self._clock() + timedelta(seconds=delay_before_retry(notice.attempt, WAITS_S))
