"""`oms people`: who may decide what. One administrator asks for a change, another decides it; nobody changes their own
roles."""

from datetime import UTC, datetime
from typing import Annotated
from zoneinfo import ZoneInfo

import typer

from domain.access.controls import AddPerson, DelegateRoles, EndDelegation, SetActive, SetRole, SetScope
from domain.approvals import Role
from starter.cli import output
from starter.cli.approvals.controls import ask_for
from starter.cli.connections import database
from starter.cli.errors import run
from starter.cli.options import By, Json, Proof, actor, usable_id
from starter.text.marking import N_
from store.approvals.people import PeopleStore, Person

PersonId = Annotated[str, typer.Argument(metavar="PERSON", help="The person's id, as their token says it; no name.")]
SHANGHAI = ZoneInfo("Asia/Shanghai")


def bootstrap(
    first: PersonId,
    second: Annotated[str, typer.Argument(metavar="SECOND", help="Another person: neither changes anything alone.")],
    by: By = None,
    json: Json = False,
) -> None:
    """Name the first two administrators of an installation; refused as soon as there is one. Recorded in the audit.

    Example: oms people bootstrap u-admin u-admin2
    """
    run(_bootstrap(first, second, by))
    text = f"{first} and {second} are administrators: one asks for changes of people, the other decides."
    _say(json, text, administrators=[first, second])


async def _bootstrap(first: str, second: str, by: str | None) -> None:
    people = (_person(first), usable_id("SECOND", second))
    async with database() as pool:
        await PeopleStore(pool).first_administrators(*people, actor(by), datetime.now(UTC))


def add(
    person: PersonId,
    roles: Annotated[list[Role] | None, typer.Option("--role", help="A role; may be given several times.")] = None,
    by: By = None,
    proof: Proof = None,
    json: Json = False,
) -> None:
    """Ask for a person to be added, with roles; another administrator decides.

    Examples:

        oms people add u-sup --role CS_SUPERVISOR --by u-admin

        oms approve approve A-people/u-sup-1 --as u-admin2 --remark "new on the team, contract seen"
    """
    ask_for(AddPerson(person_id=_person(person), roles=tuple(roles or ())), by, proof, json)


def list_people(json: Json = False) -> None:
    """List people with their roles and who stands in for them.

    Example: oms people list
    """
    found = run(_list())
    if json:
        output.as_json(found)
        return
    rows = [
        (
            p.person_id,
            N_("active" if p.active else "deactivated"),
            ", ".join(p.roles),
            p.source,
            "; ".join(p.delegates),
        )
        for p in found
    ]
    output.table("People", ("person", "state", "roles", "from", "stood in for by"), rows)


async def _list() -> tuple[Person, ...]:
    async with database() as pool:
        return await PeopleStore(pool).list(datetime.now(UTC))


def role(
    person: PersonId,
    name: Annotated[Role, typer.Argument(metavar="ROLE", help="Which role.")],
    take: Annotated[bool, typer.Option("--take", help="Take the role away instead of giving it.")] = False,
    by: By = None,
    proof: Proof = None,
    json: Json = False,
) -> None:
    """Ask for a role to be given, or taken away; another administrator decides. What the person has approved in it and
    is not done yet needs a new approval once it is taken.

    Example: oms people role u-fin FINANCE --take --by u-admin
    """
    ask_for(SetRole(person_id=_person(person), role=name, held=not take), by, proof, json)


def scope(
    person: PersonId,
    channel: Annotated[list[str] | None, typer.Option("--channel", help="A shop (channel) that they see.")] = None,
    warehouse: Annotated[list[str] | None, typer.Option("--warehouse", help="A warehouse that they see.")] = None,
    by: By = None,
    proof: Proof = None,
    json: Json = False,
) -> None:
    """Ask that a person sees the orders of these shops and warehouses only, in the console; without any, all of them.
    Another administrator decides.

    Example: oms people scope u-cs --channel tmall --channel douyin --by u-admin
    """
    shops = tuple(usable_id("--channel", name) for name in channel or ())
    places = tuple(usable_id("--warehouse", name) for name in warehouse or ())
    ask_for(SetScope(person_id=_person(person), channels=shops, warehouses=places), by, proof, json)


def deactivate(person: PersonId, by: By = None, proof: Proof = None, json: Json = False) -> None:
    """Deactivate a person, at once: they decide nothing any more, and what they have approved is not executed. Of an
    administrator another one decides, so that none is left alone.

    Example: oms people deactivate u-sup --by u-admin
    """
    ask_for(SetActive(person_id=_person(person), active=False), by, proof, json)


def activate(person: PersonId, by: By = None, proof: Proof = None, json: Json = False) -> None:
    """Ask for a deactivated person to be taken back; another administrator decides.

    Example: oms people activate u-sup --by u-admin
    """
    ask_for(SetActive(person_id=_person(person), active=True), by, proof, json)


def delegate(
    delegator: Annotated[str, typer.Argument(metavar="PERSON", help="Who is away.")],
    to: Annotated[str, typer.Option("--to", help="Who stands in.")],
    until: Annotated[
        datetime | None, typer.Option("--until", formats=["%Y-%m-%d", "%Y-%m-%dT%H:%M"], help="Until when, Shanghai.")
    ] = None,
    end: Annotated[bool, typer.Option("--end", help="End the delegation now.")] = False,
    by: By = None,
    proof: Proof = None,
    json: Json = False,
) -> None:
    """Ask that somebody may decide for a person until a moment, never what either of them has asked for; another
    administrator decides. To end it takes one.

    Examples:

        oms people delegate u-sup --to u-sup2 --until 2026-12-01 --by u-admin

        oms people delegate u-sup --to u-sup2 --end --by u-admin
    """
    if (until is None) == (not end):
        raise typer.BadParameter("say until when with --until, or --end")
    change: DelegateRoles | EndDelegation = EndDelegation(delegator=_person(delegator), delegate=usable_id("--to", to))
    if until is not None:
        moment = until.replace(tzinfo=SHANGHAI)
        change = DelegateRoles(delegator=change.delegator, delegate=change.delegate, until=moment)
    ask_for(change, by, proof, json)


def _person(text: str) -> str:
    return usable_id("PERSON", text)


def _say(json: bool, text: str, **values: object) -> None:
    if json:
        output.as_json(values)
    else:
        output.line(text)
