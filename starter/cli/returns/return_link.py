"""`oms return link`: what the shop sends a buyer who wants to send something back."""

import secrets
from datetime import UTC, datetime, timedelta
from typing import Annotated

import typer

from config.console import ConsoleSettings
from config.optional import TokenSettings, load_service
from config.settings import UnableToConfigure, load
from domain.access.buyer_links import LINK_LIVES, LONGEST_LINK, link_binding
from providers.tokens.errors import UnusableKeys
from providers.tokens.issue import issue_proof, read_key
from starter.cli import output
from starter.cli.connections import database
from starter.cli.errors import CommandFailed, run
from starter.cli.options import Json
from store.returns.evidence import EvidenceStore


def link(
    order: Annotated[str, typer.Argument(metavar="ORDER", help="The order it is about.")],
    days: Annotated[int, typer.Option("--days", min=1, max=LONGEST_LINK.days, help="So long it opens.")] = (
        LINK_LIVES.days
    ),
    json: Json = False,
) -> None:
    """Make the link with which the buyer of an order sees its returns and applies for one; signed with the key of the
    backend that this machine is (OMS_SERVICE_NAME, OMS_SERVICE_PRIVATE_KEY).

    Example: oms return link SO26112001
    """
    made = run(_link(order, timedelta(days=days)))
    if json:
        output.as_json({"link": made})
    else:
        print(made)


async def _link(order_no: str, life: timedelta) -> str:
    async with database() as pool:
        buyer = await EvidenceStore(pool).buyer_of(order_no)
    if buyer is None:
        raise CommandFailed(f"there is no order {order_no!r}; look with `oms order list`.")
    try:
        shop, console, tokens = load_service(), load(ConsoleSettings), load(TokenSettings)
        if shop is None:
            raise CommandFailed("this machine is no backend: OMS_SERVICE_NAME and OMS_SERVICE_PRIVATE_KEY are not set.")
        key = read_key(shop.private_key.get_secret_value())
    except (UnableToConfigure, UnusableKeys) as why:
        raise CommandFailed(f"the link cannot be made: {why}.") from None
    token = issue_proof(
        key, shop.name, link_binding(order_no), token_id=secrets.token_urlsafe(9), issuer=shop.name,
        audience=tokens.audience, now=datetime.now(UTC), life=life, on_behalf_of=buyer,
    )  # fmt: skip
    return f"{console.url}/buyer/{token}"
