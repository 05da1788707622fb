"""What is asked of a company's messenger, whichever it is: whom a code stands for, and to tell one person something."""

from dataclasses import dataclass, field
from typing import Literal, Protocol

from providers.errors import Refused, Unavailable, UnknownOutcome
from providers.http import Faults

System = Literal["wecom", "dingtalk", "feishu"]


class MessengerRefused(Refused):
    """No: the code is spent or old, the person is not of our company, the message cannot be sent to them."""


class MessengerUnavailable(Unavailable):
    """Nothing was done; later perhaps."""


class MessengerUnknown(UnknownOutcome):
    """No complete answer that can be read. A code may be spent, a message may have been sent."""


FAULTS = Faults(not_sent=MessengerUnavailable, unknown=MessengerUnknown)


@dataclass(frozen=True)
class MessengerApp:
    """Our app there. `app_id`: the company's id at 企业微信, the client id at 钉钉, the app id at 飞书. `agent_id`: the
    app's number at 企业微信, the robot's code at 钉钉. `tenant`: our company: at 钉钉 its corpId, at 飞书 its
    tenant_key. `host`: instead of the system's own hosts, without a slash at its end: a sandbox's."""

    system: System
    app_id: str
    agent_id: str = ""
    tenant: str = ""
    secret: str = field(default="", repr=False)
    host: str = ""

    def at(self, host: str, path: str) -> str:
        return (self.host or f"https://{host}") + path

    def person(self, account: str) -> str:
        """Under which id our books know who has this account."""
        return f"{self.system}/{account}"


@dataclass(frozen=True)
class LinkMessage:
    """Something to look at. `url`: of a page of ours."""

    title: str
    text: str
    url: str
    button: str


class Messenger(Protocol):
    """All raise `MessengerRefused`, `MessengerUnavailable`, `MessengerUnknown`."""

    @property
    def app(self) -> MessengerApp: ...

    async def account(self, code: str, back: str) -> str:
        """Who came back to `back` with this code: their account in our company. Nobody else's is told."""
        ...

    async def send(self, account: str, message: LinkMessage) -> None:
        """To one person of our company."""
        ...
