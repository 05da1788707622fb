"""Pushes of Kuaidi100: form `param` + `sign`, checked with the salt given at subscription (docs/providers.md)."""

import hashlib
import hmac
import json
from datetime import datetime
from typing import Annotated
from urllib.parse import parse_qsl

from pydantic import BaseModel, ConfigDict, StringConstraints, field_validator

from domain.strict import MAX_BYTES, UnableToRead, parse
from providers.callbacks import Answer, Callback, CallbackRefused, RawRequest
from providers.kuaidi100.client import md5_upper
from providers.kuaidi100.snapshot import Snapshot, trace_of

_JSON = "application/json; charset=UTF-8"
_ACCEPTED = json.dumps({"result": True, "returnCode": "200", "message": "成功"}, ensure_ascii=False).encode()
MAX_FIELDS = 10


class Push(BaseModel):
    """`status`: polling, shutdown (the parcel has arrived), abort (nothing heard for days), updateall (corrected)."""

    model_config = ConfigDict(strict=True, extra="ignore", frozen=True)

    status: Annotated[str, StringConstraints(pattern=r"^[a-z]{1,20}$")]
    lastResult: Snapshot | None = None

    @field_validator("lastResult", mode="before")
    @classmethod
    def _nothing_scanned(cls, value: object) -> object:
        """An `abort` may come with a hollow result, without even a number."""
        return None if isinstance(value, dict) and not value.get("data") else value


class Kuaidi100Receiver:
    """`providers.callbacks.Receiver` for source `kuaidi100`.

    A push has no id and no time: its id is the hash of `param`, so the same picture sent again is the same message.
    `Callback.kind` is the push's status; `abort` means that nothing more comes unless somebody subscribes again,
    30 minutes later at the earliest.
    """

    source = "kuaidi100"

    def __init__(self, salt: str) -> None:
        if not salt:
            raise ValueError("the salt is the only authentication of Kuaidi100 pushes and must not be empty")
        self._salt = salt

    def read(self, request: RawRequest, now: datetime) -> Callback:
        param = self._verified_param(request)
        event_id = hashlib.sha256(param.encode()).hexdigest()
        try:
            push = parse(Push, param)
            if push.lastResult is None:
                return Callback(event_id=event_id, kind=push.status, facts=())
            trace = trace_of(push.lastResult, now)
        except UnableToRead as e:
            raise CallbackRefused("malformed", f"unable to read the Kuaidi100 push: {e}", status=400) from None
        return Callback(event_id=event_id, kind=push.status, facts=trace.facts, trace=trace.points)

    def accepted(self, request: RawRequest) -> Answer:
        return Answer(200, _ACCEPTED, _JSON)

    def refused(self, request: RawRequest, why: CallbackRefused) -> Answer:
        body = {"result": False, "returnCode": "500", "message": why.reason}
        return Answer(why.status, json.dumps(body).encode(), _JSON)

    def _verified_param(self, request: RawRequest) -> str:
        form = _form(request)
        param, sign = form.get("param", ""), form.get("sign", "")
        if not (param and sign):
            raise CallbackRefused("headers", "the push lacks param or sign")
        if not hmac.compare_digest(md5_upper(param + self._salt).encode(), sign.encode()):
            raise CallbackRefused("signature", "the sign of the push does not fit our salt")
        return param


def _form(request: RawRequest) -> dict[str, str]:
    content_type = request.headers.get("content-type", "").partition(";")[0].strip().lower()
    if content_type != "application/x-www-form-urlencoded":
        raise CallbackRefused("content_type", "a push is an HTML form", status=415)
    if len(request.body) > MAX_BYTES:
        raise CallbackRefused("too_large", f"a push of more than {MAX_BYTES} bytes is not read", status=413)
    try:
        text = request.body.decode("ascii")
        pairs = parse_qsl(text, keep_blank_values=True, errors="strict", max_num_fields=MAX_FIELDS)
    except ValueError:
        raise CallbackRefused("malformed", "the push is not a URL-encoded form in UTF-8", status=400) from None
    form = dict(pairs)
    if len(form) != len(pairs):
        raise CallbackRefused("malformed", "a field stands twice in the push", status=400)
    return form
