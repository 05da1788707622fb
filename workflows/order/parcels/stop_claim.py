"""One stop, one owner: who wants a parcel stopped, and whose it is once it has been.

Two that stop the same parcel at once would both be told that it will not ship, and one would refund what the other
sends again. So a parcel is asked for by one of them at a time; the others wait and act on what is there then.
"""

from enum import StrEnum

from temporalio import workflow

from workflows.durable.carrying import Table

ONE_OWNER = "one stop has one owner"
ONE_STOP = "what is stopped belongs to who wants it stopped"
LEFT_STANDING = "what is left to a return stands still"


class Claimant(StrEnum):
    CANCEL = "cancel"
    RETURN = "return"
    HOLD = "hold"
    ADDRESS = "new address"
    MERGE = "merge"
    SPLIT = "split by hand"
    SUPPLIER = "silent supplier"
    GIVEN_UP = "given up"
    ELSEWHERE = "others ship some of it"


class StopClaim:
    """The claim on one parcel. Free until somebody wants it stopped, and again when that is decided.

    Contention alone makes a command (`patched`): an order in which nobody is in the way is what it always was.
    """

    CARRIED = Table(
        left={
            "owner": "no run ends while somebody has it",
            "_waiting": "nobody waits for what nobody has",
            "_heir": "who was left it has it",
        }
    )

    def __init__(self) -> None:
        self.owner: Claimant | None = None
        self._waiting: list[Claimant] = []
        self._heir: Claimant | None = None

    @property
    def is_taken(self) -> bool:
        return self.owner is not None

    def take(self, who: Claimant) -> bool:
        """At once, or not at all: False when another has it."""
        if self.is_taken and workflow.patched(ONE_OWNER):
            return False
        self.owner = who
        return True

    async def acquire(self, who: Claimant) -> None:
        """Waits while another has it. What became of the parcel meanwhile is for the caller to look at."""
        if self.is_taken and workflow.patched(ONE_OWNER):
            self._waiting.append(who)
            await self.free()
            self._waiting.remove(who)
        self.owner = who

    async def free(self) -> None:
        """Until nobody has it: of several that waited the first takes it, and the others wait on."""
        while self.is_taken:
            await workflow.wait_condition(lambda: not self.is_taken)

    def release(self, who: Claimant) -> None:
        if self.owner is who:
            self.owner = None

    def is_for(self, who: Claimant) -> bool:
        """What is stopped now will be left to `who`, who waits for it."""
        return self.owner is not who and who in self._waiting

    def leave_to(self, who: Claimant) -> bool:
        """True when `who` waits for the same parcel: what was stopped is theirs."""
        if who not in self._waiting:
            return False
        self._heir = who
        return True

    def inherits(self, who: Claimant) -> bool:
        """True, once, for whom the stopped parcel was left to."""
        is_heir = self._heir is who
        if is_heir:
            self._heir = None
        return is_heir
