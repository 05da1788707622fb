"""The ways in which people hear that a decision is asked of them: the company's messenger, and mail."""

from collections.abc import Mapping
from typing import Protocol

from domain.access.approval_notices import by_messenger, by_sign_in
from providers.mail.smtp import Mail
from providers.messengers.port import LinkMessage, Messenger
from store.approvals.notices import Way


class Teller(Protocol):
    """`prefix`: how the ids of those begin whom it reaches; `only`: which of them, None: all."""

    @property
    def way(self) -> Way: ...

    @property
    def prefix(self) -> str: ...

    @property
    def only(self) -> tuple[str, ...] | None: ...

    def link(self, console_url: str, approval_id: str) -> str:
        """Of the question, signed in as this way does it."""
        ...

    async def tell(self, person_id: str, message: LinkMessage) -> None:
        """Raises `ProviderError`."""
        ...


class ByMessenger:
    way: Way = "messenger"
    only: tuple[str, ...] | None = None

    def __init__(self, messenger: Messenger) -> None:
        self._messenger = messenger
        self.prefix = messenger.app.person("")

    def link(self, console_url: str, approval_id: str) -> str:
        return by_messenger(console_url, approval_id)

    async def tell(self, person_id: str, message: LinkMessage) -> None:
        await self._messenger.send(person_id.removeprefix(self.prefix), message)


class ByMail:
    way: Way = "mail"
    prefix = ""

    def __init__(self, mail: Mail, addresses: Mapping[str, str]) -> None:
        self._mail = mail
        self._addresses = addresses
        self.only: tuple[str, ...] | None = tuple(sorted(addresses))

    def link(self, console_url: str, approval_id: str) -> str:
        return by_sign_in(console_url, approval_id)

    async def tell(self, person_id: str, message: LinkMessage) -> None:
        await self._mail.send(self._addresses[person_id], message)
