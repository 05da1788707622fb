"""Why something was not done, in words and with advice, whoever refused it: the worker, the books, or nobody at all."""

from collections.abc import Awaitable, Mapping
from dataclasses import dataclass
from typing import TypeVar

from config.settings import UnableToConfigure
from console.text.catalogue import N_
from console.text.language import PageLanguage
from starter.clients.errors import NoAnswer, OrderError, OrderNotFound, Unreachable
from starter.clients.exchange import NoProof
from starter.clients.return_errors import NoSuchReturn
from store.errors import NoSuchTicket, StoreError
from store.tickets.queue import Owned

T = TypeVar("T")
LOOK = N_("Look first, then decide: it may have been done.")
AGAIN = N_("Load the page again and look what has changed.")
SIGN_IN = N_("Sign in again, then do it once more.")
SAID: Mapping[str, tuple[str, str]] = {
    "PROOF_REQUIRED": (N_("The worker was not shown who asks."), SIGN_IN),
    "PROOF_MISMATCH": (N_("The proof was made for something else."), SIGN_IN),
    "TOKEN_EXPIRED": (N_("The proof came too late."), N_("Do it once more.")),
    "TOKEN_INVALID": (N_("The worker does not know who has signed for you."), N_("Tell whoever runs the system.")),
    "TOKEN_REPLAYED": (N_("This has been sent before."), AGAIN),
    "UNKNOWN_PERSON": (N_("The books do not know you."), N_("An administrator can add you.")),
    "PERSON_INACTIVE": (N_("You are deactivated."), N_("An administrator can change that.")),
    "WRONG_ROLE": (N_("Your role may not do this."), N_("Hand it to somebody who may.")),
    "NOT_THE_SENDER": (N_("It was said in another name than yours."), SIGN_IN),
    "NotNow": (N_("Not in the present state."), AGAIN),
    "NoSuchTicket": (N_("The ticket is not open any more."), AGAIN),
    "BadResult": (N_("The answer does not fit the question."), N_("Look at what is asked for and fill it in anew.")),
    "KeyReused": (N_("Something else was sent under the same number."), AGAIN),
    "TooOften": (N_("This was done a moment ago."), N_("Wait some seconds.")),
    "Ended": (N_("It is over and takes no more changes."), N_("Nothing has to be done here.")),
    "NoProof": (N_("Nobody could prove that it is you: nothing was sent."), SIGN_IN),
    "Unreachable": (N_("The workers cannot be reached: nothing was sent."), N_("Try again in a moment.")),
    "NoAnswer": (N_("There was no answer in time."), LOOK),
    "NotFound": (N_("There is no such number."), N_("Check the number.")),
    "DeskRefused": (N_("It does not fit the books."), N_("Look at the reason below and put it right.")),
    "InvalidWork": (N_("The answer does not fit the question."), N_("Look at what is asked for and fill it in anew.")),
    "Exists": (N_("This has been sent before."), AGAIN),
    "ChangeRefused": (N_("It cannot be changed so."), N_("Look at the reason below and put it right.")),
    "InvalidChange": (N_("It cannot be changed so."), N_("Look at the reason below and put it right.")),
    "InvalidRuleSet": (
        N_("Something in the table is wrong: nothing was kept."),
        N_("It stands at its cell; mend it and save again."),
    ),
    "RulesMovedOn": (
        N_("Another version has come since this was begun."),
        N_("Begin with what is in force, so that nobody's change is lost."),
    ),
    "UnableToDecide": (N_("The tables cannot decide."), N_("Look at the reason below and put it right.")),
    "TooLarge": (
        N_("The table is too large for the page."),
        N_("Write it in a file: `oms rules export`, then `oms rules draft`."),
    ),
    "NothingChanged": (N_("That is how it is already."), N_("Nothing has to be done here.")),
    "OUT_OF_SCOPE": (N_("This shop is not among yours."), N_("Hand it to somebody who may.")),
    "TooMany": (N_("It was asked for as often as a day allows."), N_("Nothing has to be done here.")),
    "NotRunning": (N_("Nothing runs that could do it."), N_("Tell whoever runs the system.")),
    "Owned": (N_("Somebody else looks after it."), N_("Ask them, or have it handed to you.")),
}
CODES: Mapping[type[Exception], str] = {
    NoSuchTicket: "NoSuchTicket", Owned: "Owned", Unreachable: "Unreachable", NoAnswer: "NoAnswer",
    OrderNotFound: "NotFound", NoSuchReturn: "NotFound", NoProof: "NoProof", UnableToConfigure: "NoProof",
}  # fmt: skip
"""Of errors that carry no code of their own."""
OTHER = (N_("It was refused."), AGAIN)
STATUS = {"NoAnswer": 504, "Unreachable": 503, "NoProof": 503, "NotFound": 404, "WRONG_ROLE": 403}


@dataclass(frozen=True)
class RefusedAct:
    """`reason`: as whoever refused it has put it; English, may name numbers."""

    code: str
    reason: str

    @property
    def status(self) -> int:
        return STATUS.get(self.code, 409)

    def said(self, language: PageLanguage) -> str:
        return language.say(SAID.get(self.code, OTHER)[0])

    def advice(self, language: PageLanguage) -> str:
        return language.say(SAID.get(self.code, OTHER)[1])


async def tried(act: Awaitable[T]) -> T | RefusedAct:
    """What came of it. Whatever is no refusal is raised."""
    try:
        return await act
    except (OrderError, StoreError, NoProof, UnableToConfigure) as error:
        return RefusedAct(_code(error), _reason(error))


def _code(error: Exception) -> str:
    named = getattr(error, "type", None)
    if isinstance(named, str) and named:
        return named
    return next((code for kind, code in CODES.items() if isinstance(error, kind)), type(error).__name__)


def _reason(error: Exception) -> str:
    return str(getattr(error, "reason", None) or getattr(error, "why", None) or error)[:500]
