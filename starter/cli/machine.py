"""What `--json` asks of a command that could not do it: one document on stdout, beside the sentence on stderr.

Imports nothing of the product (decision 0066)."""

import json
from collections.abc import Sequence

from starter.cli.text import clean

MOST_CAUSES = 5


class DocumentWanted:
    """Of this process: a command's work runs in a task, whose context variables nobody outside of it sees."""

    for_a_document = False


def is_asked_by(arguments: Sequence[str]) -> None:
    """`arguments`: the command line's words; behind `--` there are no options."""
    options = arguments[: arguments.index("--")] if "--" in arguments else arguments
    DocumentWanted.for_a_document = "--json" in options


def has_its_answer() -> None:
    """The command's own document is printed: what could not be done is in it, and there is never a second one."""
    DocumentWanted.for_a_document = False


def tell(error: BaseException, exit_code: int, message: str) -> None:
    """`{"error": {"code", "message", "exit_code", "reasons"?}}`. `code` is the refusal's own, as the contract has it
    (`PayableMismatch`, `NotNow`, `PHOTO_REQUIRED`, …), else the name of what went wrong."""
    if not DocumentWanted.for_a_document:
        return
    told: dict[str, object] = {"code": _code(error), "message": message, "exit_code": exit_code}
    if reasons := _first(error, "reasons"):
        told["reasons"] = reasons
    text = json.dumps({"error": told}, ensure_ascii=False, indent=2, default=str)
    print("\n".join(clean(line) for line in text.split("\n")))


def _code(error: BaseException) -> str:
    code = _first(error, "codes") or _first(error, "type")
    if isinstance(code, (tuple, list)):
        code = code[0]
    return str(code) if code else type(error).__name__


def _first(error: BaseException | None, name: str) -> object:
    """Of the error, or of what it was made of."""
    for _ in range(MOST_CAUSES):
        if error is None:
            return None
        if value := getattr(error, name, None):
            return value
        error = error.__cause__ or error.__context__
    return None
