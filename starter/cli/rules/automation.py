"""`oms automation`: what is done by itself: tried on past orders, published by two people, stopped by one."""

from pathlib import Path
from typing import Annotated, Any

import typer

from domain.access.controls import PublishAutomations
from domain.access.desk import StopAutomations, TryAutomation
from domain.automation.conditions import faults_of
from domain.automation.model import Automation, AutomationBook
from domain.strict import UnableToRead, parse
from starter.cli import output
from starter.cli.approvals.controls import ask_for
from starter.cli.connections import database
from starter.cli.desk import at_desk
from starter.cli.errors import BadInput, CommandFailed, fail, run, several
from starter.cli.options import By, Json, Limit, Proof, actor, read, sentence
from starter.text.marking import N_
from store.automation.books import BookStore
from store.automation.desk import AutomationDesk, RunRow, Switch

MAX_BYTES = 200_000
File = Annotated[Path, typer.Argument(help="JSON (as `show --json` prints it), - for stdin.")]


def show(
    version: Annotated[int | None, typer.Option("--version", min=1, help="One version.", show_default="newest")] = None,
    json: Json = False,
) -> None:
    """Show the automations that count, or a version of them.

    Example: oms automation show --json > automations.json
    """
    book, switch = run(_shown(version))
    if json:
        output.as_json(book)
        return
    rows = [
        (o.id, o.name, o.on.trigger, o.condition, o.do.act, "" if o.enabled else N_("off")) for o in book.automations
    ]
    output.table(f"Automations, version {book.version}", ("id", "name", "when", "if", "then", ""), rows, empty="none")
    if not switch.running:
        output.line(f"All of them are stopped, by {switch.changed_by}: {switch.why}")


async def _shown(version: int | None) -> tuple[AutomationBook, Switch]:
    async with database() as pool:
        desk = AutomationDesk(pool)
        if version is None:
            return await desk.book(), await desk.switch()
        found = await BookStore(pool).version("automations", version)
        if found is None:
            raise CommandFailed(f"the automations have no version {version}: `oms automation show`.")
        return found.read(AutomationBook), await desk.switch()


def try_past(
    file: File,
    which: Annotated[
        str | None, typer.Option("--only", help="One of them. [default: those that move something]")
    ] = None,
    days: Annotated[int, typer.Option("--days", min=1, max=365, help="Of so many past days.")] = 30,
    by: By = None,
    proof: Proof = None,
    json: Json = False,
) -> None:
    """Tell what automations of a file would have done with past orders. Changes nothing; is needed to publish them.

    Example: oms automation try automations.json --only big-ones --by u-ed
    """
    book = _read(file)
    wanted = [one for one in book.automations if one.id == which or (which is None and one.moves)]
    if not wanted:
        fail(BadInput("there is nothing in it to try: nothing of it moves goods or money, or --only names none of it."))
    found = run(_tried(wanted, days, actor(by), proof))
    if json:
        output.as_json(found)
        return
    for name, trial in found.items():
        rows = [(row["order_no"], row["ref"], row["at"]) for row in trial["would_do"][:20]]
        title = f"{name}: {len(trial['would_do']) + trial['more']} orders of {trial['looked_at']} times"
        output.table(title, ("order", "about", "when"), rows, empty="nothing")


async def _tried(wanted: list[Automation], days: int, who: str, proof: str | None) -> dict[str, Any]:
    return {one.id: await at_desk(TryAutomation(automation=one, days=days), who, proof) for one in wanted}


def publish(file: File, by: By = None, proof: Proof = None, json: Json = False) -> None:
    """Ask for all automations to be as in a file; another person decides, of finance where one pays back by itself.

    Examples:

        oms automation publish automations.json --by u-ed

        oms approve approve A-automations-1 --as u-ops --remark "tried on 30 days, 12 orders"
    """
    ask_for(PublishAutomations(book=_read(file).model_copy(update={"version": 0})), by, proof, json)


def rollback(
    version: Annotated[int, typer.Argument(min=1, help="Which version counts again.")],
    by: By = None,
    proof: Proof = None,
    json: Json = False,
) -> None:
    """Ask for an earlier version to count again.

    Example: oms automation rollback 3 --by u-ops
    """
    book, _ = run(_shown(version))
    ask_for(PublishAutomations(book=book.model_copy(update={"version": 0})), by, proof, json)


def stop(
    why: Annotated[str, typer.Option("--why", help="Whoever looks at it reads this.")],
    by: By = None,
    proof: Proof = None,
    json: Json = False,
) -> None:
    """Stop all automations, at once. Two people let them run again: publish a version.

    Example: oms automation stop --why "it holds every order" --by u-sup
    """
    done = run(at_desk(StopAutomations(why=sentence("--why", why)), actor(by), proof))
    if json:
        output.as_json(done)
    else:
        output.line("All automations are stopped." if done["stopped"] else "They were stopped already.")


def runs(
    which: Annotated[str | None, typer.Option("--only", help="Of one automation.")] = None,
    order: Annotated[str | None, typer.Option("--order", help="With one order.")] = None,
    limit: Limit = 50,
    json: Json = False,
) -> None:
    """Tell what automations did, and why. Newest first.

    Example: oms automation runs --order SO2603020101
    """
    found = run(_runs(which, order, limit))
    if json:
        output.as_json(found)
        return
    rows = [(r.at, r.automation_id, r.order_no, r.trigger, _why(r), r.action["act"], _said(r)) for r in found]
    output.table(
        "Runs", ("when", "automation", "order", "happened", "because", "act", "came of it"), rows, empty="none"
    )


async def _runs(which: str | None, order: str | None, limit: int) -> tuple[RunRow, ...]:
    async with database() as pool:
        return await AutomationDesk(pool).runs(automation_id=which, order_no=order, limit=limit)


def _why(row: RunRow) -> str:
    return "; ".join(f"{name} = {value}" for name, value in row.facts.items())


def _said(row: RunRow) -> str:
    order = f"; {row.order_outcome}: {row.order_said}" if row.order_outcome else ""
    return f"{row.state}: {row.said}{order}"


def _read(file: Path) -> AutomationBook:
    try:
        book = parse(AutomationBook, read(file, MAX_BYTES))
    except UnableToRead as e:
        fail(BadInput(f"{file} is no usable file of automations, nothing was asked: {several(str(e))}."))
    except BadInput as e:
        fail(e)
    if wrong := faults_of(book):
        fail(BadInput("; ".join(wrong)))
    return book
