"""`events`: duplicates, early and late events against the file's own transition table (R01-R04).

Every event is a message in the inbox; the relay delivers it, a running workflow applies the table, the books tell.
"""

from collections.abc import Sequence
from typing import Annotated, Any

from pydantic import AwareDatetime, Field, TypeAdapter

from bench.scenarios.document import Scenario, block, read_as
from bench.scenarios.environment import ScenarioEnvironment, Servers
from bench.scenarios.file_order import FILE_ORDER, FileOrder, FileOrderStart, Row
from bench.scenarios.order import LineIn, OrderIn, start_order
from bench.scenarios.plain_yaml import Malformed
from bench.scenarios.transitions import BadTable, Move, Table, UnknownEvent
from domain.facts import Fact, Kind
from domain.states import Outcome
from domain.strict import Strict
from store.inbox.inbox import Added
from workflows.messages import TASK_QUEUE, order_workflow_id

ORDER = OrderIn(order_no="EVENTS", lines=(LineIn(id="L1", sku="TOLD", qty=1, unit_price=100),))
SOURCE = "file"


class EventIn(Strict):
    id: Annotated[str, Field(min_length=1, max_length=200)]
    type: Annotated[str, Field(max_length=300)]
    at: AwareDatetime | None = None


class RowIn(Strict):
    origins: Annotated[tuple[str, ...], Field(alias="from")]
    to: str


EVENTS = TypeAdapter(tuple[EventIn, ...])
ROWS: TypeAdapter[dict[str, RowIn]] = TypeAdapter(dict[str, RowIn])
RANK = TypeAdapter(tuple[str, ...])
STATE = TypeAdapter(str)


async def play(scenario: Scenario, servers: Servers) -> dict[str, Any]:
    table = _table(scenario)
    state = read_as(STATE, block(scenario, "initial_state"), "input.initial_state")
    if state not in table.rank:
        raise Malformed(f"input.initial_state: {state} is not in fsm_rank")
    events = _events(scenario, table)
    async with servers.house(more_workflows=(FileOrder,)) as house:
        order = start_order(ORDER, house.now())
        rows = {kind: Row(origins=move.origins, to=move.to) for kind, move in table.moves.items()}
        start = FileOrderStart(order=order, moves=rows, rank=table.rank, state=state)
        handle = await house.temporal.start_workflow(
            FILE_ORDER, start, id=order_workflow_id(order.order_no), task_queue=TASK_QUEUE
        )
        await house.rest()
        duplicates = await _tell(house, order.order_no, events)
        return await _told(house, order.order_no, await handle.query("state", result_type=str), duplicates)


async def _tell(house: ScenarioEnvironment, order_no: str, events: Sequence[EventIn]) -> list[str]:
    """In order of arrival; returns the ids that the inbox had before."""
    repeated = []
    for event in events:
        known = event.type in Kind.__members__
        fact = Fact(
            key=event.id, kind=Kind(event.type) if known else Kind.PAYMENT_SUCCEEDED, source=SOURCE,
            occurred_at=event.at or house.now(), order_no=order_no, note=event.type,
        )  # fmt: skip
        (added,) = await house.deliver(fact)
        if added is not Added.NEW:
            repeated.append(event.id)
    return repeated


async def _told(house: ScenarioEnvironment, order_no: str, state: str, duplicates: list[str]) -> dict[str, Any]:
    """Out of the books: each event's outcomes, in the order in which they were written down."""
    rows = await house.pool.fetch("SELECT key, outcome FROM order_events WHERE order_no = $1 ORDER BY id", order_no)

    def having(outcome: Outcome) -> list[str]:
        return [row["key"] for row in rows if row["outcome"] == outcome]

    applied, stale, held = having(Outcome.APPLIED), having(Outcome.STALE), having(Outcome.HELD)
    return {
        "final_state": state,
        "applied": applied,
        "duplicates": [*duplicates, *having(Outcome.DUPLICATE)],
        "held_then_applied": [key for key in applied if key in held],
        "recorded_stale": stale,
        "left_held": [key for key in held if key not in applied and key not in stale],
    }


def _events(scenario: Scenario, table: Table) -> tuple[EventIn, ...]:
    events = read_as(EVENTS, block(scenario, "events"), "input.events")
    for event in events:
        try:
            table.move(event.type)
        except UnknownEvent as e:
            raise Malformed(f"input.events: {event.id}: {e}") from None
    return events


def _table(scenario: Scenario) -> Table:
    if scenario.fsm is None or scenario.fsm_rank is None:
        raise Malformed("events need fsm and fsm_rank at the top of the file")
    rows = read_as(ROWS, scenario.fsm, "fsm")
    rank = read_as(RANK, scenario.fsm_rank, "fsm_rank")
    try:
        return Table({kind: Move(row.origins, row.to) for kind, row in rows.items()}, rank)
    except BadTable as e:
        raise Malformed(f"fsm: {e}") from None
