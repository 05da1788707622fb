"""People of a developer's stack, one a role, and links with which each signs in to the console.

`python -m deploy.local.links FILE`, after the migrations, adds them to books that know nobody yet; FILE (private) is
that of `deploy.local.logins`. `python -m deploy.local links` prints the links.
"""

import asyncio
import json
import secrets
import sys
from collections.abc import Iterator, Mapping
from datetime import UTC, datetime
from pathlib import Path
from urllib.parse import urlencode, urljoin

import httpx

from domain.access.signing_in import SIGN_IN, SIGN_IN_LIVES, TOKEN_EXCHANGE
from domain.approvals import Role
from providers.tokens.issue import issue_proof, read_key
from store.approvals.people import PeopleStore
from store.pool import open_pool

PEOPLE: Mapping[str, Role] = {
    "demo-cs": Role.CS_AGENT,
    "demo-lead": Role.CS_SUPERVISOR,
    "demo-warehouse": Role.WAREHOUSE,
    "demo-finance": Role.FINANCE,
    "demo-operator": Role.ORDER_OPS,
    "demo-rules": Role.RULE_EDITOR,
    "demo-admin": Role.ADMIN,
    "demo-admin2": Role.ADMIN,
}


async def add_people(owner_url: str) -> None:
    """Only where nobody is known: an installation that has people of its own keeps to them."""
    pool = await open_pool(owner_url, max_size=1, application="local-people")
    try:
        people, now = PeopleStore(pool), datetime.now(UTC)
        if not await people.list(now):
            for person, role in PEOPLE.items():
                await people.add(person, [role], "local-stack", now)
    finally:
        await pool.close()


def links(variables: Mapping[str, str]) -> Iterator[tuple[str, Role, str]]:
    """Person, role, address; none where the stack has no key to sign with."""
    pem, console = variables.get("OMS_TOKENS_PRIVATE_KEY"), variables.get("OMS_CONSOLE_URL")
    issuer = variables.get("OMS_CONSOLE_EXCHANGE_URL")
    if not pem or not console or not issuer or variables.get("OMS_ENVIRONMENT") != "local":
        return
    key = read_key(pem)
    for person, role in PEOPLE.items():
        token = issue_proof(
            key, person, SIGN_IN, token_id=secrets.token_urlsafe(9), now=datetime.now(UTC), life=SIGN_IN_LIVES,
            issuer=variables.get("OMS_TOKENS_ISSUER", "oms-local"),
            audience=variables.get("OMS_TOKENS_AUDIENCE", "oms-approvals"),
        )  # fmt: skip
        yield person, role, f"{console}/sign-in/link?{urlencode({'as': person, 'code': _code(issuer, token)})}"


def _code(issuer: str, token: str) -> str:
    """A short number, under which the issuer keeps the sign-in until it serves."""
    form = {"grant_type": TOKEN_EXCHANGE, "subject_token": token}
    answer = httpx.post(urljoin(issuer, "codes"), data=form, timeout=5, trust_env=False)
    return str(answer.raise_for_status().json()["code"])


def show(variables: Mapping[str, str]) -> None:
    found = list(links(variables))
    if found:
        print(f"console: {variables['OMS_CONSOLE_URL']}; sign in as one of these")
    for person, role, address in found:
        print(f"  {person:<15} {role:<14} {address}")
    if found:
        print("  each within ten minutes, once; `make links` prints new ones")


def main(arguments: list[str]) -> int:
    if len(arguments) != 1:
        sys.stderr.write(f"{__doc__}\n")
        return 2
    asyncio.run(add_people(json.loads(Path(arguments[0]).read_text())["owner"]))
    return 0


if __name__ == "__main__":
    sys.exit(main(sys.argv[1:]))
