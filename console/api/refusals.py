"""What the typed clients refuse, as problems: the same codes and words that `oms` and the pages have."""

import re
from collections.abc import Mapping
from typing import Any

from console.api.problems import ApiProblem, FieldFault, pointer
from starter.clients.comparing import ComparisonNotAsked
from starter.clients.desk import NotDone
from starter.clients.errors import (
    CommandRefused,
    DuplicateOrder,
    NotNow,
    OrderError,
    OrderNotFound,
    OrderRefused,
)
from starter.clients.return_errors import NoSuchReturn, ReturnError, ReturnExists, ReturnRefused, StepRefused

_PLACE = re.compile(r"([A-Za-z0-9_.]{1,200}): (.+)", re.DOTALL)
_NOT_YOURS = frozenset({"FORBIDDEN", "SAME_PERSON"})
AGAIN_S, HOUR_S = 5, 3_600


NO_ANSWER = "whether it was done is not known; ask again under the same key"


def as_problem(why: OrderError) -> ApiProblem:  # noqa: PLR0911 - a table of kinds
    """`final`: told again it would be the same."""
    match why:
        case ReturnError():
            return _of_a_case(why)
        case OrderRefused():
            return ApiProblem(422, why.type, str(why), [_fault(why.type, reason) for reason in why.reasons], final=True)
        case DuplicateOrder():
            return ApiProblem(409, "DuplicateOrder", str(why), final=True)
        case OrderNotFound():
            return ApiProblem(404, "NO_SUCH_ORDER", f"there is no order {why.order_no}")
        case NotNow(type="TooOften"):
            return ApiProblem(429, why.type, why.reason, retry_after_s=AGAIN_S)
        case NotNow():
            return ApiProblem(409, why.type, why.reason, final=True)
        case ComparisonNotAsked(type="TooMany"):
            return ApiProblem(429, why.type, why.why, retry_after_s=HOUR_S)
        case ComparisonNotAsked(type="NotRunning"):
            return ApiProblem(409, why.type, why.why, retry_after_s=AGAIN_S)
        case NotDone(type="DeskRefused" | "InvalidWork" | "NoSuchPeriod"):
            return ApiProblem(409, why.type, why.why, final=True)
        case CommandRefused():
            return ApiProblem(403, why.type, why.reason)
    return ApiProblem(503, "NO_ANSWER", NO_ANSWER, retry_after_s=AGAIN_S)


def _of_a_case(why: ReturnError) -> ApiProblem:
    match why:
        case ReturnRefused():
            code = why.codes[0] if why.codes else why.type
            status = 403 if "FORBIDDEN" in why.codes else 422
            return ApiProblem(status, code, str(why), [_reason(reason) for reason in why.reasons], final=True)
        case ReturnExists():
            return ApiProblem(409, "ReturnExists", str(why), final=True)
        case NoSuchReturn():
            return ApiProblem(404, "NO_SUCH_RETURN", f"there is no return {why.return_no}")
        case StepRefused():
            return ApiProblem(403 if why.type in _NOT_YOURS else 409, why.type, why.reason, final=True)
    return ApiProblem(503, "NO_ANSWER", NO_ANSWER, retry_after_s=AGAIN_S)


def _reason(reason: Mapping[str, Any]) -> FieldFault:
    line = reason.get("line_id")
    said = f"{reason.get('text_zh')} / {reason.get('text_en')}"
    return FieldFault(pointer=f"#/lines/{line}" if line else "#", code=str(reason.get("code", "")), detail=said)


def _fault(code: str, reason: str) -> FieldFault:
    """A line `lines.0.qty: what is wrong` names its place."""
    found = _PLACE.fullmatch(reason)
    if found is None:
        return FieldFault(pointer="#", code=code, detail=reason)
    return FieldFault(pointer=pointer(found[1].split(".")), code=code, detail=found[2])
