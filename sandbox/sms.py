"""阿里云短信: takes SendSms requests that are signed as its documents say, and shows what came to a phone.

Settings (SANDBOX_SMS_*): ACCESS_KEY_ID, ACCESS_KEY_SECRET, SIGN_NAME, TEMPLATE. `GET /_phones/{phone}`: what it got;
`GET /_phones`: a page with what came to all of them.
A phone gets one message a minute and five an hour, as there.
"""

import hashlib
import hmac
import html
import json
import re
from datetime import UTC, datetime, timedelta
from urllib.parse import quote

from starlette.applications import Starlette
from starlette.requests import Request
from starlette.responses import JSONResponse, Response
from starlette.routing import Route

from sandbox.core.settings import Settings
from sandbox.messengers.people import page

AUTHORIZATION = re.compile(r"ACS3-HMAC-SHA256 Credential=([^,]+),SignedHeaders=([^,]+),Signature=([0-9a-f]{64})")
SIGNED = {"host", "x-acs-action", "x-acs-version", "x-acs-date", "x-acs-signature-nonce", "x-acs-content-sha256"}
CLOCKS_APART = timedelta(minutes=15)
A_PHONE_AN_HOUR = 5
MOBILE = re.compile(r"1\d{10}")


class SmsSandbox:
    """`phones`: texts by phone, each with its moment."""

    def __init__(self, settings: Settings) -> None:
        self._clock = settings.clock
        self._key, self._secret = (
            settings.get("ACCESS_KEY_ID", "sandbox-key"),
            settings.get("ACCESS_KEY_SECRET", "secret"),
        )
        self._sign, self._template = settings.get("SIGN_NAME", "测试商城"), settings.get("TEMPLATE", "SMS_1")
        self._nonces: set[str] = set()
        self.phones: dict[str, list[tuple[datetime, str]]] = {}
        self.app = Starlette(routes=[
            Route("/", self._call, methods=["POST", "GET"]),
            Route("/_phones", self._page),
            Route("/_phones/{phone}", self._look),
            Route("/_health", self._health),
        ])  # fmt: skip

    async def _call(self, request: Request) -> Response:
        if why := self._unsigned(request, await request.body()):
            return _no(why, "The request signature does not conform to the standard.", 403)
        if (request.headers["x-acs-action"], request.headers["x-acs-version"]) != ("SendSms", "2017-05-25"):
            return _no("InvalidAction.NotFound", "Specified api is not found.", 404)
        asked, now = request.query_params, self._clock()
        phone, parameters = asked.get("PhoneNumbers", ""), json.loads(asked.get("TemplateParam", "{}"))
        got = self.phones.setdefault(phone, [])
        recent = [at for at, _ in got if now - at < timedelta(hours=1)]
        flooded = len(recent) >= A_PHONE_AN_HOUR or any(now - at < timedelta(minutes=1) for at in recent)
        faults = {
            "isv.MOBILE_NUMBER_ILLEGAL": not MOBILE.fullmatch(phone),
            "isv.SMS_SIGNATURE_ILLEGAL": asked.get("SignName") != self._sign,
            "isv.SMS_TEMPLATE_ILLEGAL": asked.get("TemplateCode") != self._template,
            "isv.TEMPLATE_MISSING_PARAMETERS": set(parameters) != {"code"},
            "isv.BUSINESS_LIMIT_CONTROL": flooded,
        }
        if wrong := next((code for code, holds in faults.items() if holds), ""):
            return _no(wrong, "the request is not taken")
        got.append((now, str(parameters["code"])))
        return JSONResponse({"Code": "OK", "Message": "OK", "BizId": f"b{len(got)}", "RequestId": "q"})

    def _unsigned(self, request: Request, body: bytes) -> str:
        """Why the signature does not hold; '' when it does."""
        found = AUTHORIZATION.fullmatch(request.headers.get("authorization", ""))
        if found is None or found[1] != self._key:
            return "InvalidAccessKeyId.NotFound"
        names = found[2].split(";")
        if not set(names) >= SIGNED or names != sorted(names):
            return "IncompleteSignature"
        content = hashlib.sha256(body).hexdigest()
        query = "&".join(
            f"{quote(k, safe='~')}={quote(v, safe='~')}" for k, v in sorted(request.query_params.multi_items())
        )
        lines = "".join(f"{name}:{request.headers.get(name, '').strip()}\n" for name in names)
        whole = "\n".join((request.method, request.url.path, query, lines, found[2], content))
        text = f"ACS3-HMAC-SHA256\n{hashlib.sha256(whole.encode()).hexdigest()}"
        if not hmac.compare_digest(hmac.new(self._secret.encode(), text.encode(), "sha256").hexdigest(), found[3]):
            return "SignatureDoesNotMatch"
        nonce = request.headers["x-acs-signature-nonce"]
        if nonce in self._nonces:
            return "SignatureNonceUsed"
        self._nonces.add(nonce)
        at = datetime.strptime(request.headers["x-acs-date"], "%Y-%m-%dT%H:%M:%SZ").replace(tzinfo=UTC)
        return "InvalidTimeStamp.Expired" if abs(self._clock() - at) > CLOCKS_APART else ""

    async def _look(self, request: Request) -> Response:
        got = self.phones.get(request.path_params["phone"], [])
        return JSONResponse([{"at": at.isoformat(), "code": code} for at, code in got])

    async def _page(self, _request: Request) -> Response:
        came = sorted(((at, phone, code) for phone, got in self.phones.items() for at, code in got), reverse=True)
        lines = "".join(f"<li>{at:%H:%M:%S} UTC, {html.escape(phone)}: <b>{code}</b></li>" for at, phone, code in came)
        return page(f"<ul>{lines}</ul>" if lines else "<p>No code was sent yet.</p>")

    async def _health(self, _request: Request) -> Response:
        return JSONResponse({"sandbox": "sms", "phones": len(self.phones)})


def create_app(settings: Settings) -> Starlette:
    return SmsSandbox(settings).app


def _no(code: str, why: str, status: int = 200) -> Response:
    return JSONResponse({"Code": code, "Message": why, "RequestId": "q"}, status)
