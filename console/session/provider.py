"""Signing in at the company's identity provider: OpenID Connect, authorization code with PKCE, state and nonce.

Nothing is kept between leaving and coming back but one number in a cookie of this browser: state, nonce and the
verifier of the code are made of it, so that only this browser can come back, with an answer that was asked for here.
"""

import base64
import hashlib
import hmac
from dataclasses import dataclass

import httpx
from authlib.common.errors import AuthlibBaseError
from authlib.integrations.httpx_client import AsyncOAuth2Client

from config.console import ProviderSettings
from console.session.cookies import new_number

RETURN_PATH = "/sign-in/returned"
TIMEOUT_S = 10.0


class ProviderFailed(Exception):
    """The identity provider did not sign anybody in. The text is for the log."""


@dataclass(frozen=True)
class SignInAttempt:
    """One way to the provider and back. `number`: for the cookie."""

    number: str

    @classmethod
    def new(cls) -> "SignInAttempt":
        return cls(new_number())

    @property
    def state(self) -> str:
        return self._made("state")

    @property
    def plain_state(self) -> str:
        """In letters and digits only, as messengers want it."""
        return hashlib.sha256(self.state.encode()).hexdigest()

    @property
    def nonce(self) -> str:
        return self._made("nonce")

    @property
    def verifier(self) -> str:
        return self._made("verifier of the code")

    def _made(self, what: str) -> str:
        digest = hmac.new(self.number.encode(), what.encode(), hashlib.sha256).digest()
        return base64.urlsafe_b64encode(digest).rstrip(b"=").decode()


class CompanySignIn:
    """`url`: of the console; `issuer`: as the provider names itself. `transport`: of tests."""

    def __init__(
        self, settings: ProviderSettings, url: str, issuer: str, transport: httpx.AsyncBaseTransport | None = None
    ) -> None:
        self._settings = settings
        self._back = url + RETURN_PATH
        self._issuer = issuer
        self._transport = transport

    def way(self, attempt: SignInAttempt) -> str:
        """The provider's address to send the browser to."""
        with_pkce: str
        with_pkce, _ = self._client().create_authorization_url(
            self._settings.authorize_url, state=attempt.state, nonce=attempt.nonce, code_verifier=attempt.verifier
        )
        return with_pkce

    async def id_token(self, attempt: SignInAttempt, *, code: str, state: str, issuer: str) -> str:
        """Of who came back. Raises `ProviderFailed`; the token is still to be verified."""
        if not hmac.compare_digest(state.encode(), attempt.state.encode()):
            raise ProviderFailed("the answer belongs to another attempt")
        if issuer and issuer != self._issuer:
            raise ProviderFailed("the answer is of another provider")
        if not code:
            raise ProviderFailed("the provider refused")
        try:
            async with self._client() as client:
                told = await client.fetch_token(self._settings.token_url, code=code, code_verifier=attempt.verifier)
        except (AuthlibBaseError, httpx.HTTPError, ValueError) as why:
            raise ProviderFailed(f"the code was not taken ({type(why).__name__})") from None
        token = told.get("id_token") if isinstance(told, dict) else None
        if not isinstance(token, str):
            raise ProviderFailed("there is no ID token in the answer")
        return token

    def _client(self) -> AsyncOAuth2Client:
        secret = self._settings.client_secret
        return AsyncOAuth2Client(
            self._settings.client_id, secret.get_secret_value() if secret else None,
            scope=self._settings.scope, redirect_uri=self._back, code_challenge_method="S256",
            token_endpoint_auth_method="client_secret_basic" if secret else "none",
            timeout=TIMEOUT_S, trust_env=False, follow_redirects=False, transport=self._transport,
        )  # fmt: skip
