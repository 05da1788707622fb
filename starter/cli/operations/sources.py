"""`oms config source`: which sources of callbacks there are, who is stopped, and from where each may send."""

from datetime import UTC, datetime
from typing import Annotated

import typer
from pydantic import ValidationError

from domain.access.callback_sources import SetSource
from domain.strict import faults, of
from starter.cli import output
from starter.cli.approvals.controls import ask_for
from starter.cli.connections import database
from starter.cli.errors import BadInput, run
from starter.cli.options import By, Json, Proof
from starter.text.marking import N_
from store.inbox.sources import SourceRow, SourceStore

Source = Annotated[str, typer.Argument(metavar="SOURCE", help="As `oms config source list` names it.")]


def list_sources(json: Json = False) -> None:
    """List the sources of callbacks, with what was decided about them and when they were last heard.

    Example: oms config source list
    """
    found = run(_list())
    if json:
        output.as_json(found)
        return
    rows = [
        (
            s.source,
            N_("listened to") if s.enabled else N_("not listened to"),
            " ".join(s.configured) or N_("anywhere"),
            " ".join(s.allow),
            s.heard_at,
            s.refused_because,
            s.changed_by,
        )
        for s in found
    ]
    columns = ("source", "state", "settings let in", "decided", "last message", "last refused for", "changed by")
    output.table("Sources of callbacks", columns, rows)


def allow(
    source: Source,
    networks: Annotated[
        list[str] | None, typer.Option("--from", metavar="NETWORK", help="May send from there; none: as settings say.")
    ] = None,
    by: By = None,
    proof: Proof = None,
    json: Json = False,
) -> None:
    """Ask that a source is listened to, from these networks; an administrator, another person, decides.

    Example: oms config source allow wechat --from 203.0.113.0/24 --by u-ops
    """
    ask_for(_change(source, enabled=True, networks=networks or []), by, proof, json)


def stop(source: Source, by: By = None, proof: Proof = None, json: Json = False) -> None:
    """Stop listening to a source at once, as when its secret was lost. What it sends is refused; nothing is forgotten.

    Example: oms config source stop wechat --by u-admin
    """
    ask_for(_change(source, enabled=False, networks=[]), by, proof, json)


async def _list() -> tuple[SourceRow, ...]:
    async with database() as pool:
        return await SourceStore(pool).list(datetime.now(UTC))


def _change(source: str, *, enabled: bool, networks: list[str]) -> SetSource:
    try:
        return of(SetSource, {"source": source, "enabled": enabled, "allow": networks})
    except ValidationError as error:
        raise BadInput(f"this cannot be said of a source: {faults(error)}") from None
