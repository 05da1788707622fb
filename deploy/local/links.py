"""People of a developer's stack, one a role, and links with which each signs in to the console.

`python -m deploy.local.links FILE [PERSON=ROLE …]`, after the migrations, adds them to books that know nobody yet; FILE
(private) is that of `deploy.local.logins`. `python -m deploy.local links` prints the links.
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

from deploy.local.company import ACCOUNTS, PAGE, colleagues
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


async def add_people(owner_url: str, others: Mapping[str, Role]) -> None:
    """Only where nobody is known: an installation that has people of its own keeps to them. Those who are known by an
    account at the sandbox of a messenger come later too: another one may be chosen."""
    pool = await open_pool(owner_url, max_size=1, application="local-people")
    try:
        people, now = PeopleStore(pool), datetime.now(UTC)
        known = {person.person_id for person in await people.list(now)}
        wanted = {**PEOPLE, **others} if not known else others if set(PEOPLE) <= known else {}
        for person, role in wanted.items():
            if person not in known:
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
        _show_company(variables)


def _show_company(variables: Mapping[str, str]) -> None:
    """What stands in for the company's messenger, and for the phones of buyers."""
    console = variables["OMS_CONSOLE_URL"]
    if others := colleagues(variables):
        host = variables["OMS_MESSENGER_HOST"]
        print(f"by a messenger: {console}/sign-in/messenger, as {', '.join(others)}; what it sent: {host}/_sent")
    if page := variables.get(PAGE):
        print(f"mail to {', '.join(ACCOUNTS)} about what they have to decide: {page}/_sent")
    if variables.get("OMS_CONSOLE_GUESTS") == "true" and (sms := variables.get("OMS_SMS_BASE_URL")):
        print(f"guests: {console}/buyer/guest, with an order's number and its phone; the codes: {sms}/_phones")


def main(arguments: list[str]) -> int:
    if not arguments:
        sys.stderr.write(f"{__doc__}\n")
        return 2
    owner = json.loads(Path(arguments[0]).read_text())["owner"]
    others = {person: Role(role) for person, _, role in (text.partition("=") for text in arguments[1:])}
    asyncio.run(add_people(owner, others))
    return 0


if __name__ == "__main__":
    sys.exit(main(sys.argv[1:]))
