"""A report is about all shops and warehouses: it is not for those who see some of them."""

from starlette.requests import Request

from console.security.access import refuse
from console.session.user import User


async def insist_on_all(request: Request, user: User) -> None:
    if user.scope.channels is not None or user.scope.warehouses is not None:
        await refuse(request, user, "OUT_OF_SCOPE")
