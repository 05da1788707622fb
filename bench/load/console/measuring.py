"""Asks the console for each of its pages, as somebody whom it is for, and takes the time."""

import json
import re
import statistics
import time
from collections.abc import Sequence
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta

import httpx

from config.console import ConsoleSettings
from console.app import make_app
from console.live import LiveHub
from console.security.access import ways_in
from console.session.cookies import PLAIN_NAME, hash_of, new_number, sealed
from console.temporal import LazyTemporal
from console.wiring import Wiring
from deploy.local.logins import as_role
from domain.approvals import Role
from domain.insight.periods import month_before
from providers.tokens.issue import key_set, new_key, read_key
from providers.tokens.keys import GivenKeys, read_key_set
from providers.tokens.verify import Issuer, TokenVerifier
from starter.clients.errors import Unreachable
from store.approvals.people import PeopleStore
from store.console.sessions import NewSession, SessionStore
from store.pool import Pool, open_pool

URL = "http://127.0.0.1:8090"
TIMES = 5
STREAMS = {"/live"}
SCOPED = "cs-agent of one shop and warehouse"

CONCERNED = {"/approvals/{approval_id:path}": (Role.CS_SUPERVISOR,)}
"""Who opens what is not for everybody whom the page is for."""

# Lists as people narrow them down; of numbers: the newest, the oldest, one in the middle.
NARROWED = (
    "/orders?status=AWAITING_SHIPMENT", "/orders?status=COMPLETED", "/orders?channel=tmall", "/orders?only=late",
    "/orders?only=attention", "/orders?only=backorder", "/orders?only=held", "/orders?q=b77", "/orders?q=SKU-7",
    "/orders?q=C500000", "/orders?q=1234", "/orders?q=nothing-of-that-kind", "/orders?channel=jd&status=SHIPPED",
    "/orders-batch?act=export&of=filtered", "/orders-batch?act=refresh&of=filtered&status=SHIPPED",
    "/orders-batch?act=print&of=filtered", "/returns?only=open", "/returns?turn=FINANCE", "/returns?status=REFUNDED",
    "/returns?q=b100", "/approvals?kind=refund_application", "/tickets?team=warehouse", "/callbacks?span=2h",
    "/callbacks?span=7d", "/callbacks/messages?state=parked", "/callbacks/messages?source=wechat", "/stock?q=SKU-7",
    "/finance?kind=refunds", "/finance?kind=refunds&only=waits", "/finance?kind=outside",
)  # fmt: skip


@dataclass(frozen=True)
class PageTime:
    path: str
    person: str
    median_ms: float
    worst_ms: float


async def measure(url: str, orders: int) -> list[PageTime]:
    """Raises `RuntimeError` for a page that does not answer with a page."""
    books = await open_pool(url, application="bench")
    own = await open_pool(as_role(url, "oms_console"), application="console")
    try:
        app = make_app(_wiring(own))
        sessions = {role: await _signed_in(books, role.lower().replace("_", "-"), role) for role in _roles()}
        scoped = await _scoped(books)
        newest = await books.fetchval("SELECT max(order_no) FROM orders WHERE status = 'SHIPPED'")
        case = await books.fetchval("SELECT return_no FROM return_cases ORDER BY applied_at DESC LIMIT 1")
        question = await books.fetchval("SELECT approval_id FROM approvals WHERE state = 'open' LIMIT 1")
        ticket = await books.fetchval("SELECT ticket_id FROM tickets WHERE state = 'open' LIMIT 1")
        message = await books.fetchval("SELECT max(id) FROM inbox")
        last_month = month_before(datetime.now(UTC)).name
        known = {
            "/orders/{order_no}": newest, "/orders/{order_no}/return": newest, "/returns/{return_no}": case,
            "/approvals/{approval_id:path}": question, "/tickets/{ticket_id:path}": ticket,
            "/callbacks/messages/{message_id}": message, "/reports/{period}": last_month,
            "/reports/process/{period}": last_month,
        }  # fmt: skip
        pages = [(path, needs) for (method, path), needs in ways_in(app).items() if method == "GET" and needs]
        asked = [(path, needs.roles) for path, needs in pages if "{" not in path and path not in STREAMS]
        asked += [
            (re.sub(r"\{[^}]+\}", str(known[path]), path), CONCERNED.get(path, needs.roles))
            for path, needs in pages if path in known
        ]  # fmt: skip
        by_path = {path: needs.roles for path, needs in pages}
        asked += [(path, by_path[path.split("?")[0]]) for path in NARROWED]
        found = [await _time(app, sessions[_reader(roles)], path, _reader(roles)) for path, roles in asked]
        for path in ("/", "/orders", "/orders?only=late", "/returns", "/tickets", "/approvals"):
            found.append(await _time(app, scoped, path, SCOPED))
    finally:
        await own.close()
        await books.close()
    return [one for one in found if one is not None]


def _roles() -> list[Role]:
    return [role for role in Role if role is not Role.SERVICE]


def _reader(roles: Sequence[Role]) -> Role:
    """Who looks: of those whom the page is for, whoever sees most."""
    order = (Role.ORDER_OPS, Role.FINANCE, Role.WAREHOUSE, Role.CS_SUPERVISOR, Role.ADMIN, Role.CS_AGENT)
    return next((role for role in order if role in roles), roles[0])


async def _time(app: object, session: str, path: str, person: str) -> PageTime | None:
    """None: the page wants more in its address (those are among the narrowed ones), or only leads to another."""
    transport = httpx.ASGITransport(app)  # type: ignore[arg-type]
    took = []
    async with httpx.AsyncClient(transport=transport, base_url=URL, cookies={PLAIN_NAME: session}) as browser:
        # Once before: statements are prepared, templates compiled.
        for _ in range(TIMES + 1):
            began = time.perf_counter()
            answer = await browser.get(path, headers={"accept": "text/html"}, timeout=120)
            took.append(1_000 * (time.perf_counter() - began))
            if answer.status_code in (303, 400, 404, 422):
                return None
            if answer.status_code != 200:
                raise RuntimeError(f"{path} as {person} answered {answer.status_code}")
    one = PageTime(path, person, statistics.median(took[1:]), max(took[1:]))
    print(f"{one.median_ms:8.0f} ms  {one.person:14} {one.path}", flush=True)
    return one


async def _signed_in(books: Pool, person: str, role: Role) -> str:
    """The number of a session, as it stands in the cookie."""
    now, number = datetime.now(UTC), new_number()
    await PeopleStore(books).add(person, [role], "bench", now)
    until = now + timedelta(hours=6)
    new = NewSession(hash_of(number), person, "local", None, f"bench-{number}", sealed(number, "none"), until)
    await SessionStore(books).open(new, now)
    return number


async def _scoped(books: Pool) -> str:
    number = await _signed_in(books, "scoped", Role.CS_AGENT)
    await books.execute(
        """INSERT INTO person_scopes VALUES ('scoped', 'channel', 'jd'), ('scoped', 'warehouse', 'WH-2')
        ON CONFLICT DO NOTHING"""
    )
    return number


def _wiring(own: Pool) -> Wiring:
    issuer = Issuer("oms-local", "oms-approvals", GivenKeys(read_key_set(json.dumps(key_set(read_key(new_key()))))))

    async def nowhere() -> object:
        raise Unreachable("127.0.0.1:1", "nothing is done here")

    def now() -> datetime:
        return datetime.now(UTC)

    return Wiring(
        ConsoleSettings(url=URL), own, TokenVerifier([issuer], now), None, LazyTemporal(nowhere),  # type: ignore[arg-type]
        LiveHub(""), now,
    )  # fmt: skip
