"""An identity provider: OpenID Connect discovery, the device flow (RFC 8628), refresh, token exchange (RFC 8693).

Settings (SANDBOX_IDENTITY_*): CLIENTS (comma list; default "oms-cli"), AUDIENCE (of exchanged tokens).
"""

from sandbox.identity.server import IdentityProvider, create_app

__all__ = ["IdentityProvider", "create_app"]
