"""Boards: measures of the newest report, arranged by a program or shared by people (R70)."""

from collections.abc import Sequence
from typing import Annotated

from fastapi import APIRouter, Query
from pydantic import AfterValidator, BaseModel, Field, StringConstraints
from starlette.requests import Request
from starlette.responses import Response

from console.api.callers import Caller
from console.api.once import Key, once
from console.api.problems import CHANGING, READING, ApiProblem, may_answer
from console.api.reading import read_json, takes
from console.api.reports.figures import ReportedFigure, reported
from console.api.reports.for_all import READS, WRITES, insist_on_all
from console.navigation import REPORT_READERS
from domain.approvals import Role
from domain.insight.definitions import BY_KEY
from domain.insight.health import HealthReport
from domain.records import AuditEntry
from domain.strict import Strict
from store.audit.audit import AuditStore
from store.console.boards import LONGEST_NAME, Board, ReportBoards
from store.insight.reports import KeptReport, newest_and_before

router = APIRouter(prefix="/reports/boards", tags=["reports"])
SHARED_WITH = tuple(role.value for role in REPORT_READERS.roles)
"""Who may read reports at all. A board that is shared with any of them a program sees too."""
Name = Annotated[str, StringConstraints(min_length=1, max_length=LONGEST_NAME, pattern=r"^\S([^\x00-\x1f]*\S)?$")]


def _known(measure: str) -> str:
    if measure not in BY_KEY:
        raise ValueError(f"one of {', '.join(BY_KEY)}")
    return measure


def _reads(role: str) -> str:
    if role not in SHARED_WITH:
        raise ValueError(f"one of {', '.join(SHARED_WITH)}")
    return role


class BoardRequest(Strict):
    """`measures` in the order in which they are shown. `shared_with`: roles that see it. Of your own name it is saved
    anew."""

    name: Name
    measures: Annotated[
        tuple[Annotated[str, AfterValidator(_known)], ...], Field(min_length=1, max_length=len(BY_KEY))
    ]  # fmt: skip
    shared_with: Annotated[tuple[Annotated[Role, AfterValidator(_reads)], ...], Field(max_length=len(SHARED_WITH))] = ()


class ForgetRequest(Strict):
    name: Name


class BoardRemoved(BaseModel):
    """`removed` false: there is none of that name, or it is another's."""

    name: str
    removed: bool


class BoardSaved(BaseModel):
    name: str
    measures: Sequence[str]
    shared_with: Sequence[str]
    saved_by: str


class BoardFigure(BaseModel):
    """`before`: the value of the month before; null: there is none."""

    figure: ReportedFigure
    before: int | None


class BoardShown(BoardSaved):
    figures: list[BoardFigure]


class BoardsShown(BaseModel):
    """Figures of the newest month that has a report; `month` null: none has been built."""

    month: str | None
    version: int | None
    boards: list[BoardShown]


@router.get(
    "", response_model=BoardsShown, operation_id="listBoards", summary="Boards with their figures, by name",
    responses=may_answer(*READING),
)  # fmt: skip
async def boards(
    request: Request, caller: READS, name: Annotated[str | None, Query(max_length=LONGEST_NAME)] = None
) -> BoardsShown:
    """Your own ones, and those that people share with a role."""
    await insist_on_all(request, caller)
    pool = caller.wiring.pool
    seen = await ReportBoards(pool).visible(caller.id, SHARED_WITH)
    wanted = [board for board in seen if name is None or board.name == name]
    if name is not None and not wanted:
        raise ApiProblem(404, "NO_SUCH_BOARD", f"there is no board {name}")
    newest, before = await newest_and_before(pool)
    now, then = _read(newest), _read(before)
    return BoardsShown(
        month=newest.period if newest else None, version=newest.version if newest else None,
        boards=[BoardShown(figures=_figures(board, now, then), **_saved(board)) for board in wanted],
    )  # fmt: skip


@router.post(
    "", response_model=BoardSaved, operation_id="saveBoard", summary="Arrange a board, or arrange it anew",
    responses=may_answer(*CHANGING), openapi_extra=takes(BoardRequest),
)  # fmt: skip
async def save(request: Request, caller: WRITES, key: Key) -> Response:
    asked = await read_json(request, BoardRequest)
    await insist_on_all(request, caller)
    board = Board(asked.name, tuple(dict.fromkeys(asked.measures)), tuple(dict.fromkeys(asked.shared_with)), caller.id)

    async def act(_attempt: int) -> BoardSaved:
        if not await ReportBoards(caller.wiring.pool).save(board, caller.wiring.now()):
            why = "this board is somebody else's, or there are too many: choose another name, or remove one"
            raise ApiProblem(409, "BOARD_TAKEN", why, final=True)
        await _written_down(caller, "board.saved", board.name)
        return BoardSaved(**_saved(board))

    return await once(request, caller, key, asked, 200, act)


@router.post(
    "/forget", response_model=BoardRemoved, operation_id="forgetBoard", summary="Remove a board of your own",
    responses=may_answer(*CHANGING), openapi_extra=takes(ForgetRequest),
)  # fmt: skip
async def forget(request: Request, caller: WRITES, key: Key) -> Response:
    asked = await read_json(request, ForgetRequest)
    await insist_on_all(request, caller)

    async def act(_attempt: int) -> BoardRemoved:
        removed = await ReportBoards(caller.wiring.pool).forget(asked.name, caller.id)
        if removed:
            await _written_down(caller, "board.removed", asked.name)
        return BoardRemoved(name=asked.name, removed=removed)

    return await once(request, caller, key, asked, 200, act)


def _saved(board: Board) -> dict[str, object]:
    return {"name": board.name, "measures": board.measures, "shared_with": board.roles, "saved_by": board.saved_by}


def _figures(board: Board, now: HealthReport | None, before: HealthReport | None) -> list[BoardFigure]:
    """Measures that there are no more are left out, as on the page."""
    if now is None:
        return []
    return [
        BoardFigure(figure=reported(BY_KEY[key], now.figure(key)), before=before.figure(key).value if before else None)
        for key in board.measures
        if key in BY_KEY
    ]


def _read(kept: KeptReport | None) -> HealthReport | None:
    return None if kept is None else HealthReport.model_validate_json(kept.text)


async def _written_down(caller: Caller, action: str, name: str) -> None:
    entry = AuditEntry(actor=caller.id, action=action, detail={"name": name})
    await AuditStore(caller.wiring.pool).append(entry, caller.wiring.now())
