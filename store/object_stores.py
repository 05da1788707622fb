"""Where bytes lie that are no rows: a folder, or an S3-compatible store."""

from __future__ import annotations

from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING
from urllib.parse import unquote, urlsplit

from obstore.store import LocalStore, ObjectStore, S3Store

if TYPE_CHECKING:
    from obstore.store import S3Config


@dataclass(frozen=True)
class S3Access:
    """How to reach an S3-compatible store that is not Amazon's, or with keys of its own. Never shown."""

    access_key_id: str
    secret_access_key: str
    endpoint: str | None = None
    region: str = "us-east-1"

    def __repr__(self) -> str:
        return f"S3Access(endpoint={self.endpoint!r})"


def object_store_at(url: str, what: str, s3: S3Access | None = None) -> tuple[ObjectStore, Path | None]:
    """`file:///folder` or `s3://bucket/prefix`, and the folder if it is one. Raises `ValueError` for any other address;
    `what` is to lie there."""
    parts = urlsplit(url)
    if parts.scheme == "file" and not parts.netloc and len(parts.path) > 1:
        folder = Path(unquote(parts.path))
        folder.mkdir(parents=True, exist_ok=True, mode=0o700)
        return LocalStore(prefix=folder), folder
    if parts.scheme == "s3" and parts.hostname:
        return _s3(parts.hostname, parts.path.strip("/"), s3), None
    raise ValueError(f"{what} cannot be stored at a {parts.scheme or 'nameless'} address; give file:/// or s3://")


def _s3(bucket: str, prefix: str, access: S3Access | None) -> ObjectStore:
    """Without `access` the keys are found where Amazon's tools look for them."""
    config: S3Config = {}
    if access is not None:
        config = {
            "region": access.region,
            "access_key_id": access.access_key_id,
            "secret_access_key": access.secret_access_key,
        }
        if access.endpoint:
            config["endpoint"] = access.endpoint
    plain = access is not None and (access.endpoint or "").startswith("http://")
    return S3Store(
        bucket,
        prefix=prefix or None,
        config=config,
        retry_config={"max_retries": 2},
        client_options={"allow_http": plain},
    )
