"""Headers of every answer: nothing from elsewhere, nothing inline, nothing framed, nothing kept by others."""

from starlette.datastructures import MutableHeaders
from starlette.types import ASGIApp, Message, Receive, Scope, Send

POLICY = "; ".join(
    (
        "default-src 'none'",
        "script-src 'self'",
        "style-src 'self'",
        # Tabler's marks of check boxes and arrows are pictures within its style sheet.
        "img-src 'self' data:",
        "connect-src 'self'",
        "form-action 'self'",
        "frame-ancestors 'none'",
        "base-uri 'none'",
    )
)
ALWAYS = {
    "content-security-policy": POLICY,
    "x-content-type-options": "nosniff",
    "x-frame-options": "DENY",
    "referrer-policy": "same-origin",
    "cross-origin-opener-policy": "same-origin",
    "cross-origin-resource-policy": "same-origin",
    "permissions-policy": "camera=(), microphone=(), geolocation=(), payment=(), usb=()",
}
YEAR_S = 31_536_000


class SecurityHeaders:
    def __init__(self, app: ASGIApp, https: bool) -> None:
        self._app = app
        self._always = ALWAYS | ({"strict-transport-security": f"max-age={YEAR_S}"} if https else {})

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        if scope["type"] != "http":
            await self._app(scope, receive, send)
            return

        async def sent(message: Message) -> None:
            if message["type"] == "http.response.start":
                headers = MutableHeaders(scope=message)
                for name, value in self._always.items():
                    headers[name] = value
                # What a page shows is somebody's; only files of the program itself say otherwise.
                headers.setdefault("cache-control", "no-store")
            await send(message)

        await self._app(scope, receive, sent)
