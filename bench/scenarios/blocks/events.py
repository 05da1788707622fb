"""`events`: duplicates, early and late events against the file's own transition table (R01-R04)."""

from typing import Annotated, Any

from pydantic import AwareDatetime, Field, TypeAdapter

from bench.scenarios.document import Scenario, block, read_as
from bench.scenarios.plain_yaml import Malformed
from bench.scenarios.town import Town
from domain.strict import Strict
from domain.transitions import BadTable, Event, Move, Progress, Table, UnknownEvent, receive


class EventIn(Strict):
    id: Annotated[str, Field(min_length=1)]
    type: str
    at: AwareDatetime | None = None


class RowIn(Strict):
    origins: Annotated[tuple[str, ...], Field(alias="from")]
    to: str


EVENTS = TypeAdapter(tuple[EventIn, ...])
ROWS: TypeAdapter[dict[str, RowIn]] = TypeAdapter(dict[str, RowIn])
RANK = TypeAdapter(tuple[str, ...])
STATE = TypeAdapter(str)


async def play(scenario: Scenario, _: Town) -> dict[str, Any]:
    table = _table(scenario)
    state = read_as(STATE, block(scenario, "initial_state"), "input.initial_state")
    if state not in table.rank:
        raise Malformed(f"input.initial_state: {state} is not in fsm_rank")
    progress = Progress(state)
    for event in read_as(EVENTS, block(scenario, "events"), "input.events"):
        try:
            receive(table, progress, Event(event.id, event.type))
        except UnknownEvent as e:
            raise Malformed(f"input.events: {event.id}: {e}") from None
    return {
        "final_state": progress.state,
        "applied": progress.applied,
        "duplicates": progress.duplicates,
        "held_then_applied": progress.held_then_applied,
        "recorded_stale": progress.recorded_stale,
        "left_held": [event.event_id for event in progress.held],
    }


def _table(scenario: Scenario) -> Table:
    if scenario.fsm is None or scenario.fsm_rank is None:
        raise Malformed("events need fsm and fsm_rank at the top of the file")
    rows = read_as(ROWS, scenario.fsm, "fsm")
    rank = read_as(RANK, scenario.fsm_rank, "fsm_rank")
    try:
        return Table({kind: Move(row.origins, row.to) for kind, row in rows.items()}, rank)
    except BadTable as e:
        raise Malformed(f"fsm: {e}") from None
