"""Calls to the warehouse: push an outbound order, ask for its cancellation, ask how it stands."""

import httpx

from domain.clock import Clock
from providers.http import send
from providers.qimen import answers, documents, errors
from providers.qimen.answers import QimenAnswer
from providers.qimen.errors import SYSTEM
from providers.qimen.models import CancelResult, OutboundState, PushOutbound, QimenConfig, QimenPushed
from providers.qimen.sign import local_text, sign
from providers.qimen.xml import Tree, UnableToReadXml, build, text_of


class QimenWms:
    """One warehouse account. Every method raises `WmsRefused`, `WmsUnavailable` or `WmsUnknown`; none retries."""

    def __init__(self, config: QimenConfig, http: httpx.AsyncClient, clock: Clock) -> None:
        self._config = config
        self._http = http
        self._clock = clock

    async def push(self, order: PushOutbound) -> QimenPushed:
        """deliveryorder.create. Idempotent by child_no: one that the warehouse has already is a `duplicate`."""
        answer = await self._call("taobao.qimen.deliveryorder.create", documents.create(order))
        duplicate = answer.code in errors.DUPLICATE | self._config.duplicate_codes
        if not (answer.ok or duplicate):
            raise errors.failure(answer.code, answer.message)
        try:
            number = text_of(answer.document, "deliveryOrderId")
        except UnableToReadXml as e:
            raise answers.garbage(e) from e
        return QimenPushed(child_no=order.child_no, delivery_order_id=number, duplicate=duplicate)

    async def cancel(self, child_no: str, *, warehouse: str, reason: str) -> CancelResult:
        """order.cancel, a request that shipping can overtake. Safe to repeat."""
        answer = await self._call("taobao.qimen.order.cancel", documents.cancel(child_no, warehouse, reason))
        if answer.code in errors.PENDING:
            return CancelResult.PENDING
        if answer.ok:
            return CancelResult.CANCELLED
        if answer.code in errors.NOT_FOUND:
            return CancelResult.ABSENT
        if answer.code in errors.TOO_LATE:
            return CancelResult.TOO_LATE
        raise errors.failure(answer.code, answer.message)

    async def query(self, child_no: str, *, warehouse: str) -> OutboundState:
        """deliveryorder.query: how the order stands, as the facts its callbacks would have told. Changes nothing."""
        answer = await self._call("taobao.qimen.deliveryorder.query", documents.query(child_no, warehouse))
        if answer.ok:
            return answers.state(child_no, answer.document, self._clock())
        if answer.code in errors.NOT_FOUND:
            return OutboundState(child_no=child_no, found=False)
        raise errors.failure(answer.code, answer.message)

    async def _call(self, method: str, body: Tree) -> QimenAnswer:
        content = build("request", body)
        params = {
            "method": method,
            "timestamp": local_text(self._clock()),
            "format": "xml",
            "app_key": self._config.app_key,
            "v": "2.0",
            "sign_method": "md5",
            "customerId": self._config.customer_id,
        }
        params["sign"] = sign(self._config.secret, params, content)
        url = httpx.URL(self._config.base_url, params=params)
        headers = {"content-type": "text/xml; charset=utf-8"}
        reply = await send(self._http, SYSTEM, "POST", url, headers=headers, content=content, faults=answers.FAULTS)
        return answers.read(reply)
