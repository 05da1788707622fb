"""What can be wrong with a token, and with finding the keys that it is checked with."""

from providers.errors import Unavailable

SYSTEM = "identity provider"


class TokenRefused(Exception):
    """The token proves nothing. The text never quotes the token."""


class TokenInvalid(TokenRefused):
    """Not a token of a known issuer for us: form, algorithm, key, signature, audience, what it was made for."""


class TokenExpired(TokenRefused):
    """It was one."""


class TokenElsewhere(TokenRefused):
    """It verifies, and was made for something else."""


class UnusableKeys(ValueError):
    """A key or key set that cannot be read, or holds no key to verify with."""


class KeysUnavailable(Unavailable):
    """The identity provider's key set could not be fetched: nothing is known about the token; try again."""

    def __init__(self, code: str, message: str) -> None:
        super().__init__(SYSTEM, code, message)
