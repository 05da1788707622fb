"""Signing secrets by the name that a subscription gives; read when they are needed, never stored or shown."""

from collections.abc import Callable
from datetime import datetime, timedelta

from domain.clock import Clock
from providers.standard_webhooks import BadWebhookSecret, Webhook

FRESH_S = 10.0
"""A secret that was changed, or a new file of one, is in use after this."""


class UnableToSign(Exception):
    """The secret is missing or malformed."""


class Keyring:
    """`read`: a variable or secret file by its name, '' when there is none; a comma list while secrets are changed."""

    def __init__(self, read: Callable[[str], str], clock: Clock) -> None:
        self._read = read
        self._clock = clock
        self._known: dict[str, tuple[datetime, Webhook]] = {}

    def signer(self, name: str) -> Webhook:
        """Raises `UnableToSign`."""
        now = self._clock()
        until, signer = self._known.get(name, (now, None))
        if signer is not None and now < until:
            return signer
        secrets = [word.strip() for word in self._read(name).split(",") if word.strip()]
        if not secrets:
            raise UnableToSign(f"{name} is not set for the relay; give it as a variable or in OMS_SECRETS_DIR")
        try:
            signer = Webhook(secrets)
        except BadWebhookSecret as why:
            raise UnableToSign(f"{name} cannot be used: {why}") from None
        self._known[name] = now + timedelta(seconds=FRESH_S), signer
        return signer
