"""`oms event replay`: what delivering events once more would do, and doing it."""

import sys
from collections import Counter
from collections.abc import Callable, Iterator, Sequence
from datetime import UTC, datetime
from itertools import islice
from typing import Annotated

import typer
from rich.console import Console
from rich.progress import Progress

from starter.cli import output
from starter.cli.connections import database
from starter.cli.errors import CommandFailed, run
from starter.cli.operations.event import EventState
from starter.cli.options import By, Json, actor, moment
from store.inbox.replaying import WAITING, InboxReplays, Preview, Selection, effects

MOST = 100_000
PAGE = 500
SHOWN = 40

Ids = Annotated[
    list[int] | None,
    typer.Argument(metavar="[ID…]", min=1, max=2**63 - 1, help="Numbers of events in the inbox."),
]


def replay(
    ids: Ids = None,
    everything: Annotated[bool, typer.Option("--all", help="All that is parked, dead or conflicting.")] = False,
    state: Annotated[
        list[EventState] | None,
        typer.Option("--state", help="Only in these states. [default: parked, dead, conflicting]"),
    ] = None,
    source: Annotated[str | None, typer.Option("--source", help="Only from: wechat, qimen, tms, kuaidi100 …")] = None,
    reason: Annotated[str | None, typer.Option("--reason", help="Only with these words in their note.")] = None,
    since: Annotated[str | None, typer.Option("--since", help="Only received since: 2h, 2026-03-02T10:00")] = None,
    until: Annotated[str | None, typer.Option("--until", help="Only received before then.")] = None,
    order: Annotated[str | None, typer.Option("--order", help="Only events of this order.")] = None,
    yes: Annotated[bool, typer.Option("--yes", "-y", help="Do it; without this, only show what it would do.")] = False,
    by: By = None,
    json: Json = False,
) -> None:
    """Deliver events once more: one, those that fit, or all. What it would do is shown first; --yes does it.

    Harmless: an order applies each happening once.

    Examples:

        oms event replay 42

        oms event replay --source wechat --reason "not known" --since 2h --yes

        oms event replay --all --yes
    """
    now = datetime.now(UTC)
    narrowed = any(value is not None for value in (source, reason, since, until, order, state))
    if not (ids or everything or narrowed):
        raise typer.BadParameter("say which: event numbers, a filter, or --all")
    if ids and (everything or narrowed):
        raise typer.BadParameter("event numbers stand alone, without --all and filters")

    def selection() -> Selection:
        asked = tuple(s.value for s in state) if state else WAITING
        return Selection(
            ids=tuple(ids) if ids else None,
            states=tuple(s.value for s in EventState) if ids else asked,
            source=source,
            reason=reason,
            since=None if since is None else moment("--since", since, now),
            until=None if until is None else moment("--until", until, now),
            order_no=order,
        )

    previews, replayed = run(_replay(selection, by, yes, quiet=json))
    if json:
        output.as_json({"replayed": replayed, "events": previews})
    else:
        _summary(previews, replayed, yes)


async def _replay(
    wanted: Callable[[], Selection], by: str | None, yes: bool, *, quiet: bool
) -> tuple[list[Preview], int]:
    selection, who = wanted(), actor(by)
    async with database() as pool:
        store = InboxReplays(pool)
        ids = await store.select(selection, MOST)
        if selection.ids and (lost := sorted(set(selection.ids) - set(ids))):
            raise CommandFailed(f"event {lost[0]} cannot be replayed: it does not exist or carries no fact.")
        console = Console(stderr=True, quiet=quiet or not sys.stderr.isatty())
        previews: list[Preview] = []
        with Progress(console=console, transient=True) as progress:
            looking = progress.add_task("looking", total=len(ids))
            for page in batched(ids, PAGE):
                previews += await store.preview(page)
                progress.advance(looking, len(page))
        if not quiet:
            _show(previews)
        replayed = 0
        if yes:
            with Progress(console=console) as progress:
                doing = progress.add_task("replaying", total=len(ids))
                for page in batched(ids, PAGE):
                    replayed += await store.replay(page, who, datetime.now(UTC))
                    progress.advance(doing, len(page))
    return previews, replayed


def batched(ids: Sequence[int], size: int) -> Iterator[list[int]]:
    """In the order given, at most `size` at once."""
    source = iter(ids)
    while page := list(islice(source, size)):
        yield page


def _show(previews: Sequence[Preview]) -> None:
    """A line a fact: what stands in the books now, and what would become of it."""
    rows: list[tuple[object, ...]] = []
    for p in previews[:SHOWN]:
        if p.unreadable:
            rows.append((p.id, p.source, p.state, p.kind, "", "unreadable", p.unreadable))
        for f in p.facts:
            change = f"{f.before} -> {f.after}" if f.before != f.after else f.before
            rows.append(
                (p.id, p.source, p.state, f.kind, f.child_no or f.order_no, f.effect, f"{change} {f.why}".strip())
            )
    output.table("Replaying would do", ("event", "source", "state", "fact", "order", "effect", "in the books"), rows)
    if len(previews) > SHOWN:
        output.line(f"… and {len(previews) - SHOWN} more events (--json shows all).")


def _summary(previews: Sequence[Preview], replayed: int, yes: bool) -> None:
    if not previews:
        output.line("No event fits.")
        return
    counted = Counter(effect for p in previews for effect in effects(p))
    told = ", ".join(f"{n} {effect}" for effect, n in sorted(counted.items()))
    output.line(f"{len(previews)} events: {told}.")
    if yes:
        output.line(f"{replayed} are on their way again; watch them with `oms event list --state received`.")
    else:
        output.line("Nothing was replayed; add --yes to do it.")
