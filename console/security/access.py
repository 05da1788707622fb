"""Who may see what. Every way in says whom it is for; the console does not start with one that says nothing.

ORDER_READERS = Needs(Role.CS_AGENT, Role.FINANCE)

@router.get("/orders")
async def orders(request: Request, user: Annotated[User, Depends(ORDER_READERS)]) -> Response: ...
"""

from collections.abc import Iterable

from fastapi import FastAPI
from fastapi.dependencies.models import Dependant
from fastapi.routing import APIRoute, iter_route_contexts
from starlette.requests import Request

from console.security.forms import SAFE_METHODS, is_from_our_page
from console.session.user import User, find_user
from console.wiring import wiring_of
from domain.approvals import Role
from domain.records import AuditEntry
from store.audit.audit import AuditStore


class NotSignedIn(Exception):
    """Nobody, or not any more: a page sends to the sign-in, anything else answers 401."""


class NotForYou(Exception):
    """403; its audit row is written. `needs`: roles of which one would do, empty when it is not a matter of roles."""

    def __init__(self, code: str, needs: Iterable[Role] = ()) -> None:
        self.code = code
        self.needs = tuple(needs)
        super().__init__(code)


class Needs:
    """A dependency: somebody who holds one of these roles. Asks who it is, whether our page sent it, if they may."""

    def __init__(self, *roles: Role) -> None:
        self.roles = roles

    async def __call__(self, request: Request) -> User:
        user = await find_user(request)
        if user is None:
            raise NotSignedIn
        if request.method not in SAFE_METHODS and not await is_from_our_page(
            request, user.number, user.wiring.settings.url
        ):
            await refuse(request, user, "NOT_FROM_OUR_PAGE")
        if not user.holds(*self.roles):
            await refuse(request, user, "WRONG_ROLE", self.roles)
        return user


async def refuse(request: Request, user: User, code: str, needs: Iterable[Role] = ()) -> None:
    """Writes it down, then raises `NotForYou`. For pages too, that refuse for reasons of their own (a shop that is not
    the person's)."""
    wiring = wiring_of(request)
    route = request.scope.get("route")
    detail = {
        "code": code, "method": request.method, "page": getattr(route, "path", ""),
        "roles": sorted(user.roles), "needs": sorted(needs),
    }  # fmt: skip
    entry = AuditEntry(actor=user.id, action="console.refused", detail=detail)
    await AuditStore(wiring.pool).append(entry, wiring.now())
    raise NotForYou(code, needs)


STAFF = Needs(*(role for role in Role if role is not Role.SERVICE))


def open_to_everybody(path: str) -> bool:
    """Signing in, what it looks like, whether the process lives; and what a buyer's link opens: it is its own key."""
    alone = ("/healthz", "/readyz", "/language/{language}", "/sign-out")
    return path in alone or path.startswith(("/sign-in", "/buyer/"))


def ways_in(app: FastAPI) -> dict[tuple[str, str], Needs | None]:
    """By method and path; None: open to everybody, or forgotten."""
    found: dict[tuple[str, str], Needs | None] = {}
    for way in iter_route_contexts(app.routes):
        if isinstance(way.original_route, APIRoute):
            dependant: Dependant = way.dependant
            needs = next((d.call for d in dependant.dependencies if isinstance(d.call, Needs)), None)
            found |= {(method, way.path or ""): needs for method in way.methods or ()}
    return found


def insist_on_walls(app: FastAPI) -> None:
    """Raises `RuntimeError` for a way in that says nothing of whom it is for."""
    bare = {path for (_, path), needs in ways_in(app).items() if needs is None and not open_to_everybody(path)}
    if bare:
        raise RuntimeError(f"these ways in do not say whom they are for: {', '.join(sorted(bare))}; give them a Needs")
