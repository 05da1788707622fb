"""Channels of notices, by the group they reach; each address is an apprise URL, and a secret.

    Channels('{"support": ["wecombot://KEY"], "duty": ["dingtalk://TOKEN", "mailtos://user:pass@example.com"]}')
    Channels("feishu://TOKEN wecombot://KEY")     # the same for every group

Addresses are never shown, in errors and logs neither: a channel is named by its fingerprint.
"""

import asyncio
import hashlib
import json
import logging
from collections.abc import Mapping
from concurrent.futures import ThreadPoolExecutor
from typing import Any

import apprise

EVERYBODY = "*"
DEADLINE_S = 8.0
AT_ONCE = 4
# Their lines quote addresses.
for _name in ("apprise", "urllib3"):
    logging.getLogger(_name).setLevel(logging.CRITICAL + 1)


class UnableToNotify(ValueError):
    """The addresses cannot be used. Says which one by its place, never by what it holds."""


class NotSent(Exception):
    """The channel did not take the notice. `outcome`: one word for counting."""

    def __init__(self, outcome: str) -> None:
        super().__init__(outcome)
        self.outcome = outcome


class Channels:
    """`text`: a JSON object of groups with their addresses (`*`: for groups not named), or addresses with blanks
    between them for everybody. Raises `UnableToNotify`."""

    def __init__(self, text: str, *, deadline_s: float = DEADLINE_S) -> None:
        self._deadline_s = deadline_s
        self._by_group: dict[str, tuple[str, ...]] = {}
        self._by_target: dict[str, apprise.Apprise] = {}
        asset = apprise.AppriseAsset(app_id="OMS", app_desc="Order orchestrator", async_mode=False)
        for group, addresses in _read(text).items():
            named = [_fingerprint(address) for address in addresses]
            for place, (target, address) in enumerate(zip(named, addresses, strict=True), 1):
                client = apprise.Apprise(asset=asset)
                if not client.add(address):
                    raise UnableToNotify(f"address {place} of group {group} is none that apprise can read")
                self._by_target[target] = client
            self._by_group[group] = tuple(dict.fromkeys(named))
        # apprise blocks; its threads are its own, so that a channel that hangs holds up nothing else.
        self._threads = ThreadPoolExecutor(max_workers=AT_ONCE, thread_name_prefix="notice")

    def targets(self, group: str) -> tuple[str, ...]:
        """Fingerprints of the channels of a group."""
        return self._by_group.get(group, self._by_group.get(EVERYBODY, ()))

    async def send(self, target: str, title: str, body: str) -> None:
        """Raises `NotSent`, also when the channel has meanwhile gone from the settings."""
        client = self._by_target.get(target)
        if client is None:
            raise NotSent("unknown")
        try:
            async with asyncio.timeout(self._deadline_s):
                taken = await asyncio.get_running_loop().run_in_executor(self._threads, _notify, client, title, body)
        except TimeoutError:
            raise NotSent("timeout") from None
        except Exception:
            # Without its cause: the text may quote the address.
            raise NotSent("broken") from None
        if not taken:
            raise NotSent("refused")

    def close(self) -> None:
        self._threads.shutdown(wait=False, cancel_futures=True)


def _notify(client: apprise.Apprise, title: str, body: str) -> bool:
    return bool(client.notify(body=body, title=title, body_format=apprise.NotifyFormat.TEXT))


def _read(text: str) -> Mapping[str, list[str]]:
    if not text.lstrip().startswith("{"):
        return {EVERYBODY: text.split()}
    try:
        found: Any = json.loads(text)
    except ValueError:
        raise UnableToNotify("begins like a JSON object and is none") from None
    for group, addresses in found.items():
        if not (isinstance(addresses, list) and all(isinstance(a, str) and a for a in addresses)):
            raise UnableToNotify(f"group {group} has to hold a list of addresses")
    return dict(found)


def _fingerprint(address: str) -> str:
    return hashlib.sha256(address.encode()).hexdigest()[:12]
