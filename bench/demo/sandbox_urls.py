"""The sandboxes' own addresses: ledger, faults, the buyer's payment."""

from collections.abc import Mapping
from urllib.parse import urlsplit

from deploy.local.variables import PROVIDERS


def sandbox_urls(variables: Mapping[str, str]) -> dict[str, str]:
    """Sandbox name → root URL of its server. All must be ours: a real provider keeps no ledger for us."""
    found = {}
    for name in PROVIDERS:
        parts = urlsplit(variables[f"OMS_{name.upper()}_BASE_URL"])
        found[name] = f"{parts.scheme}://{parts.netloc}"
    return found
