"""`python -m starter.contract`: the JSON contract, generated from the models into docs/contract/*.schema.json.

With `--check` nothing is written, and the exit code is 1 when a file is missing, stale or left over.
"""

import json
import re
import sys
from pathlib import Path
from typing import Any

from domain.approvals import ApprovalRequest, Decided, Decision
from domain.facts import Fact
from domain.order import StartOrder
from domain.returns.models import ApplyReturn
from domain.strict import Strict
from workflows.messages import FactBatch, FirstAnswer, ResolveTicket, TicketAnswer
from workflows.order.changes.messages import AddressChanged, ChangeAddress, Requested, RequestMerge, RequestResplit
from workflows.order.holds.messages import HoldOrder, HoldPlaced, HoldReleased, ReleaseHold
from workflows.order.messages import (
    BookMoney,
    Cancelled,
    CancelOrder,
    ConfirmReceipt,
    MoneyBooked,
    OrderView,
    Placed,
    Refresh,
    Refreshed,
)
from workflows.returns.messages import (
    Applied,
    AskSupervisor,
    CancelReturn,
    CaseState,
    CheckOutbound,
    EnterWaybill,
    FinishInspection,
    LabelAnswer,
    LowerAmount,
    PayAnswer,
    PayNow,
    PrintLabel,
    Received,
    ReceiveReturn,
    Scanned,
    ScanUnit,
)

FOLDER = Path(__file__).resolve().parent.parent / "docs" / "contract"
DIALECT = "https://json-schema.org/draft/2020-12/schema"
MESSAGES: tuple[type[Strict], ...] = (
    StartOrder,
    Placed,
    FactBatch,
    Fact,
    CancelOrder,
    Cancelled,
    ConfirmReceipt,
    ResolveTicket,
    Refresh,
    Refreshed,
    TicketAnswer,
    BookMoney,
    MoneyBooked,
    OrderView,
    FirstAnswer,
    ChangeAddress,
    AddressChanged,
    HoldOrder,
    HoldPlaced,
    ReleaseHold,
    HoldReleased,
    RequestMerge,
    RequestResplit,
    Requested,
    ApprovalRequest,
    Decision,
    Decided,
    ApplyReturn,
    Applied,
    CancelReturn,
    LowerAmount,
    EnterWaybill,
    ReceiveReturn,
    Received,
    ScanUnit,
    Scanned,
    FinishInspection,
    AskSupervisor,
    CheckOutbound,
    PrintLabel,
    LabelAnswer,
    PayNow,
    PayAnswer,
    CaseState,
)


def schema_of(model: type[Strict]) -> dict[str, Any]:
    """JSON Schema (draft 2020-12) of one message. Rules across fields are only in the models' own checks."""
    return {"$schema": DIALECT, "$id": _file_name(model), **model.model_json_schema(mode="validation")}


def contract() -> dict[str, str]:
    """File name → text of every schema of the contract."""
    return {_file_name(m): json.dumps(schema_of(m), indent=2, ensure_ascii=True) + "\n" for m in MESSAGES}


def stale(folder: Path = FOLDER) -> list[str]:
    """Names of schema files that differ from the models."""
    wanted = contract()
    found = {path.name: path.read_text(encoding="utf-8") for path in folder.glob("*.schema.json")}
    return sorted(name for name in wanted.keys() | found.keys() if wanted.get(name) != found.get(name))


def write(folder: Path = FOLDER) -> None:
    folder.mkdir(parents=True, exist_ok=True)
    wanted = contract()
    for path in folder.glob("*.schema.json"):
        if path.name not in wanted:
            path.unlink()
    for name, text in wanted.items():
        (folder / name).write_text(text, encoding="utf-8")


def _file_name(model: type[Strict]) -> str:
    return re.sub(r"(?<!^)(?=[A-Z])", "-", model.__name__).lower() + ".schema.json"


def main(arguments: list[str]) -> int:
    if arguments == ["--check"]:
        if names := stale():
            sys.stderr.write(f"docs/contract is stale: {', '.join(names)}. Run `python -m starter.contract`.\n")
            return 1
        return 0
    if arguments:
        sys.stderr.write("usage: python -m starter.contract [--check]\n")
        return 2
    write()
    return 0


if __name__ == "__main__":
    raise SystemExit(main(sys.argv[1:]))
