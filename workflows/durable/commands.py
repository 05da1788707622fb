"""What people asked for and were answered: who has not heard the answer asks again, and is given the first one.

A command that its workflow would take now is a new one, whatever it says. One that would be refused, and says word for
word what an earlier one said that was done (or is being done), is that one, told again. Checks make no commands of the
workflow, and a command that was taken passes its check again in its handler, so stored histories replay.
"""

from collections.abc import Awaitable, Callable, Coroutine
from dataclasses import dataclass
from functools import cached_property, wraps
from typing import Any, TypeVar, cast

from temporalio import workflow
from temporalio.exceptions import ApplicationError

from domain.strict import Strict
from workflows.durable.carrying import Table, Through
from workflows.durable.continuing import full
from workflows.durable.raw_messages import StartedWithOneMessage
from workflows.messages import FirstAnswer, command_key

PROVEN = "commands are proven"
HOLDS_STILL = "what-holds-still-is-not-done-again"
KEPT = 300
"""Commands of one workflow that are remembered, the latest."""
RATION = 1_500
"""Updates of one run after which those that anybody may send at will are refused: Temporal takes 2,000, and the
rest is for cancelling, deciding and answering tickets."""
KEY = "key:"
"""How the id of an update begins whose caller gave a key: `key:{key}:{content}` (starter/clients/calls.py), with
`/{anything}` behind it when it is told again because its proof was refused."""

Check = TypeVar("Check", bound=Callable[..., None])
Handler = TypeVar("Handler", bound=Callable[..., Coroutine[Any, Any, Any]])


@dataclass
class Command:
    over: bool = False
    answer: Strict | dict[str, Any] | None = None
    """As JSON where an earlier run gave it."""
    error: ApplicationError | None = None

    async def first_answer(self) -> Strict | dict[str, Any] | None:
        await workflow.wait_condition(lambda: self.over)
        if self.error is not None:
            raise self.error
        return self.answer


class Commands:
    CARRIED = Table(
        _kept=Through("_pack", "_unpack"),
        _keys=dict[str, str],
        left={
            "_taken": "Temporal counts the updates of each run anew",
            "_unasked": "counts what older code has done in this run",
        },
    )

    def __init__(self) -> None:
        self._kept: dict[str, Command] = {}
        self._keys: dict[str, str] = {}
        self._taken = 0
        self._unasked = 0

    def first(self, message: Strict) -> Command | None:
        return self._kept.get(command_key(message))

    def repeats(self, owner: "RepeatableCommands", check: str, message: Strict) -> bool:
        """It has been done, or is being done, and would be refused now: its first answer is all there is to give."""
        return self.first(message) is not None and _refused(owner, check, message)

    def asks_for_proof(self, proof: str | None) -> bool:
        """Of every command, but those that older code took without one: such a one stands in the history, and counts
        on the name of the next patch. A patch's answer holds for a whole run, so one name would let all later ones
        through unproven."""
        if proof is not None or workflow.patched(_numbered(self._unasked)):
            return True
        self._unasked += 1
        return False

    def check_key(self) -> None:
        """Raises `ApplicationError` for a caller's key that stood for something else."""
        key, content = _given_key()
        if self._keys.get(key, content) != content:
            raise ApplicationError(f"the key {key[:60]!r} was given to another command", type="KeyReused")

    def check_ration(self) -> None:
        """Raises `ApplicationError` when there is room left only for what somebody must be able to do."""
        if self._taken >= RATION or full():
            raise ApplicationError(f"it has taken {self._taken} commands: no more of this kind", type="TooOften")

    def check_room(self) -> None:
        """Raises `ApplicationError` for what was done before and is only told again, where a run has no room for it:
        each time would be two events more, and the run may be waiting for the one answer that lets it move on."""
        if full():
            raise ApplicationError("it has no room to say again what it has answered: ask `first_answer`", type="Busy")

    def keep_key(self) -> None:
        """The caller's key of the update that runs now stands for it from here on."""
        self._taken += 1
        given, content = _given_key()
        if given:
            self._keys[given] = content
        for forgotten in [*self._keys][: max(len(self._keys) - KEPT, 0)]:
            del self._keys[forgotten]

    async def run(self, message: Strict, answer: Awaitable[Any]) -> Any:
        """A new command. What it refuses leaves nothing: it may be asked for again."""
        command, key = Command(), command_key(message)
        self._kept[key] = command
        self.keep_key()
        for oldest in [k for k, c in self._kept.items() if c.over][: max(len(self._kept) - KEPT, 0)]:
            del self._kept[oldest]
        try:
            command.answer = await answer
        except ApplicationError as error:
            command.error = error
            if self._kept.get(key) is command:
                del self._kept[key]
            raise
        finally:
            command.over = True
        return command.answer

    def told(self, key: str) -> FirstAnswer:
        found = self._kept.get(key)
        if found is None or not found.over:
            return FirstAnswer(known=False)
        return FirstAnswer(known=True, answer=_json(found))

    def _pack(self) -> dict[str, Any]:
        """No handler runs when a run is handed over: all of them are over, and those that failed are forgotten."""
        return {key: _json(command) for key, command in self._kept.items()}

    def _unpack(self, data: dict[str, Any]) -> None:
        self._kept = {key: Command(over=True, answer=answer) for key, answer in data.items()}


def _json(command: Command) -> dict[str, Any] | None:
    return command.answer.model_dump(mode="json") if isinstance(command.answer, Strict) else command.answer


class RepeatableCommands(StartedWithOneMessage):
    """Of a workflow whose people may ask twice."""

    @cached_property
    def commands(self) -> Commands:
        return Commands()

    @workflow.query
    def first_answer(self, key: str) -> FirstAnswer:
        """What a command (`workflows.messages.command_key`) was answered; also asked of one that has ended."""
        return self.commands.told(key)


def unless_done(check: Check) -> Check:
    """For the validator of a repeatable update: what was done already is not refused."""

    @wraps(check)
    def checked(self: RepeatableCommands, message: Strict) -> None:
        self.commands.check_key()
        try:
            check(self, message)
        except ApplicationError:
            if self.commands.first(message) is None:
                raise
            self.commands.check_room()

    return cast(Check, checked)


def under_its_key(check: Check) -> Check:
    """For the validator of an update that may be given word for word twice, such as a decision: only its key says
    whether it is the same one. Temporal answers one that comes again under its id; another under the key is refused.
    """

    @wraps(check)
    def checked(self: RepeatableCommands, message: Strict) -> None:
        self.commands.check_key()
        check(self, message)

    return cast(Check, checked)


def rationed(check: Check) -> Check:
    """The same, for what may be sent any number of times: a scan, a refresh."""

    @wraps(check)
    def checked(self: RepeatableCommands, message: Strict) -> None:
        self.commands.check_key()
        self.commands.check_ration()
        check(self, message)

    return cast(Check, checked)


def keeps_its_key(handler: Handler) -> Handler:
    """For the handler of such an update."""

    @wraps(handler)
    async def kept(self: RepeatableCommands, message: Strict) -> Any:
        self.commands.keep_key()
        return await handler(self, message)

    return cast(Handler, kept)


def repeatable(check: str, *, still: str = "") -> Callable[[Handler], Handler]:
    """For the handler of such an update. `check`: its validator's name. `still`: of a method that says whether what was
    asked for holds still; then it is not done again, although it could be."""

    def of(handler: Handler) -> Handler:
        @wraps(handler)
        async def once(self: RepeatableCommands, message: Strict) -> Any:
            first = self.commands.first(message)
            if first is not None and _refused(self, check, message):
                return await first.first_answer()
            if first is not None and still and getattr(self, still)(message) and workflow.patched(HOLDS_STILL):
                return await first.first_answer()
            return await self.commands.run(message, handler(self, message))

        return cast(Handler, once)

    return of


def _refused(owner: RepeatableCommands, check: str, message: Strict) -> bool:
    plain = getattr(type(owner), check)
    while hasattr(plain, "__wrapped__"):
        plain = plain.__wrapped__
    try:
        plain(owner, message)
    except ApplicationError:
        return True
    return False


def _numbered(unasked: int) -> str:
    """The patch that this command asks for."""
    return f"{PROVEN} {unasked}"


def _given_key() -> tuple[str, str]:
    """The caller's key of the update that runs now, and what it was given to; empty without one."""
    info = workflow.current_update_info()
    if info is None or not info.id.startswith(KEY):
        return "", ""
    key, _, content = info.id.removeprefix(KEY).rpartition(":")
    return key, content.partition("/")[0]
