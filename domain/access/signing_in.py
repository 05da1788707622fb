"""What the local issuer's tokens of the web console are made for (decision 0040): one to sign in, one for a session.

Neither gives a command: a worker takes a proof only for the command that it is made for."""

from datetime import timedelta

from domain.access.authority import Binding, message_hash

SIGN_IN = Binding("console", "console.sign_in", message_hash({}))
"""In a link that signs one person in, once."""
SIGN_IN_LIVES = timedelta(minutes=10)
SESSION = Binding("console", "console.session", message_hash({}))
"""What a sign-in becomes: as long as it lives, the issuer makes proofs of this person's commands for whoever has it."""
SESSION_LIVES = timedelta(hours=12)

TOKEN_EXCHANGE = "urn:ietf:params:oauth:grant-type:token-exchange"  # noqa: S105 - names of RFC 8693
CODE = "authorization_code"
TOKEN_TYPE = "urn:ietf:params:oauth:token-type:jwt"  # noqa: S105
