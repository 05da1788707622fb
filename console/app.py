"""The console as one ASGI application: walls outside, pages inside."""

import re
from urllib.parse import urlsplit

from fastapi import FastAPI
from starlette.middleware.trustedhost import TrustedHostMiddleware
from starlette.routing import Mount
from starlette.staticfiles import StaticFiles
from starlette.types import ASGIApp, Message, Receive, Scope, Send

from console.api.app import MOUNTED, make_api
from console.pages import (
    approvals,
    automation,
    buyer,
    controls,
    desk,
    finance,
    forms,
    health,
    importing,
    live,
    orders,
    pictures,
    returns,
    rules,
    setup,
    sign_in,
    today,
)
from console.pages.callbacks import board, messages, subscriptions
from console.pages.goods import catalogue, correcting, stock
from console.pages.goods import importing as importing_goods
from console.pages.order import acts, page
from console.pages.problems import add_problems
from console.pages.rendering import STATIC
from console.pages.reports import boards, periods, process, risk
from console.pages.tickets import one, queue, together
from console.security.access import insist_on_walls
from console.security.forms import LimitedBody
from console.security.headers import SecurityHeaders
from console.wiring import Wiring

LOOPBACK = ("127.0.0.1", "localhost")
PAGES = (
    *returns.PAGES,  # before an order's own: /orders/{no}/return is one of theirs
    today,
    *orders.PAGES,
    *(page, acts),
    *(queue, together, one),
    *(board, messages, subscriptions),
    *(importing_goods, correcting, stock, catalogue),
    *finance.PAGES,
    *(boards, process, risk, periods),  # what has a name of its own before `/reports/{period}`
    *importing.PAGES,
    *controls.PAGES,
    *rules.PAGES,
    *automation.PAGES,
    *setup.PAGES,
    *forms.PAGES,
    *approvals.PAGES,
    *desk.PAGES,
    *buyer.PAGES,
    *(pictures, live, sign_in, health),
)
KEPT = b"public, max-age=31536000, immutable"


def make_app(wiring: Wiring) -> FastAPI:
    """Raises `RuntimeError` when a page does not say whom it is for."""
    app = FastAPI(docs_url=None, redoc_url=None, openapi_url=None, title="order console")
    app.state.wiring = wiring
    for each in PAGES:
        app.include_router(each.router)
    insist_on_walls(app)
    app.router.routes.append(_everything_under(MOUNTED, make_api(wiring)))
    app.mount("/static", _Kept(StaticFiles(directory=STATIC)))
    add_problems(app)
    url = urlsplit(wiring.settings.url)
    app.add_middleware(LimitedBody)
    # A page elsewhere must not reach us under a name of its own that points here.
    app.add_middleware(TrustedHostMiddleware, allowed_hosts=[url.hostname or "", *LOOPBACK], www_redirect=False)
    app.add_middleware(SecurityHeaders, https=url.scheme == "https")
    return app


def _everything_under(path: str, app: ASGIApp) -> Mount:
    """Also addresses with a line break in them, which a mount leaves to its neighbours."""
    mount = Mount(path, app=app)
    mount.path_regex = re.compile(mount.path_regex.pattern, re.DOTALL)
    return mount


class _Kept:
    """Files are asked for with their hash in the address: browsers may keep them."""

    def __init__(self, app: ASGIApp) -> None:
        self._app = app

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        async def sent(message: Message) -> None:
            if message["type"] == "http.response.start" and message["status"] == 200:
                message["headers"] = [*message["headers"], (b"cache-control", KEPT)]
            await send(message)

        await self._app(scope, receive, sent)
