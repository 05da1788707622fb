"""`oms people`: who may decide what. Every change leaves an audit row; nobody changes their own roles."""

from datetime import UTC, datetime
from typing import Annotated
from zoneinfo import ZoneInfo

import typer

from domain.approvals import Role
from starter.cli import output
from starter.cli.connections import database
from starter.cli.errors import CommandFailed, run
from starter.cli.options import By, Json, actor, usable_id
from store.approvals.people import PeopleStore, Person

PersonId = Annotated[str, typer.Argument(metavar="PERSON", help="The person's id, as their token says it; no name.")]
SHANGHAI = ZoneInfo("Asia/Shanghai")


def add(
    person: PersonId,
    roles: Annotated[list[Role] | None, typer.Option("--role", help="A role; may be given several times.")] = None,
    by: By = None,
    json: Json = False,
) -> None:
    """Add a person, with roles.

    Example: oms people add u-sup --role CS_SUPERVISOR --by u-admin
    """
    new = run(_add(person, roles or [], by))
    _say(json, f"{person} is {'added' if new else 'known already; the roles are added'}.", person_id=person, new=new)


async def _add(person: str, roles: list[Role], by: str | None) -> bool:
    async with database() as pool:
        return await PeopleStore(pool).add(_person(person), roles, actor(by), datetime.now(UTC))


def list_people(json: Json = False) -> None:
    """List people with their roles and who stands in for them.

    Example: oms people list
    """
    found = run(_list())
    if json:
        output.as_json(found)
        return
    rows = [
        (p.person_id, "active" if p.active else "deactivated", ", ".join(p.roles), p.source, "; ".join(p.delegates))
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
    json: Json = False,
) -> None:
    """Give a person a role, or take it away; what they have approved and is not done yet needs a new approval then.

    Example: oms people role u-fin FINANCE --take --by u-admin
    """
    run(_role(person, name, not take, by))
    _say(json, f"{person} {'no longer holds' if take else 'holds'} {name}.", person_id=person, role=name, held=not take)


async def _role(person: str, name: Role, held: bool, by: str | None) -> None:
    async with database() as pool:
        await PeopleStore(pool).set_role(_person(person), name, held, actor(by), datetime.now(UTC))


def deactivate(person: PersonId, by: By = None, json: Json = False) -> None:
    """Deactivate a person: they decide nothing any more, and what they have approved is not executed.

    Example: oms people deactivate u-sup --by u-admin
    """
    run(_active(person, False, by))
    _say(json, f"{person} is deactivated.", person_id=person, active=False)


def activate(person: PersonId, by: By = None, json: Json = False) -> None:
    """Take a deactivated person back.

    Example: oms people activate u-sup --by u-admin
    """
    run(_active(person, True, by))
    _say(json, f"{person} is active.", person_id=person, active=True)


async def _active(person: str, active: bool, by: str | None) -> None:
    async with database() as pool:
        await PeopleStore(pool).set_active(_person(person), active, actor(by), datetime.now(UTC))


def delegate(
    delegator: Annotated[str, typer.Argument(metavar="PERSON", help="Who is away.")],
    to: Annotated[str, typer.Option("--to", help="Who stands in.")],
    until: Annotated[
        datetime | None, typer.Option("--until", formats=["%Y-%m-%d", "%Y-%m-%dT%H:%M"], help="Until when, Shanghai.")
    ] = None,
    end: Annotated[bool, typer.Option("--end", help="End the delegation now.")] = False,
    by: By = None,
    json: Json = False,
) -> None:
    """Let somebody decide for a person until a moment; never what either of them has asked for.

    Examples:

        oms people delegate u-sup --to u-sup2 --until 2026-12-01 --by u-admin

        oms people delegate u-sup --to u-sup2 --end --by u-admin
    """
    if (until is None) == (not end):
        raise typer.BadParameter("say until when with --until, or --end")
    run(_delegate(delegator, to, until, by))
    told = "is over" if until is None else f"ends {until:%Y-%m-%d %H:%M}"
    _say(json, f"That {to} stands in for {delegator} {told}.", delegator=delegator, delegate=to, until=until)


async def _delegate(delegator: str, to: str, until: datetime | None, by: str | None) -> None:
    now, who = datetime.now(UTC), actor(by)
    async with database() as pool:
        store = PeopleStore(pool)
        if until is not None:
            await store.delegate(_person(delegator), _person(to), until.replace(tzinfo=SHANGHAI), who, now)
        elif not await store.end_delegation(_person(delegator), _person(to), who, now):
            raise CommandFailed(f"{to} does not stand in for {delegator}; look with `oms people list`.")


def _person(text: str) -> str:
    return usable_id("PERSON", text)


def _say(json: bool, text: str, **values: object) -> None:
    if json:
        output.as_json(values)
    else:
        output.line(text)
