"""An identity provider: OpenID Connect discovery, the device flow (RFC 8628), refresh, token exchange (RFC 8693)."""

from sandbox.identity.server import IdentityProvider

__all__ = ["IdentityProvider"]
