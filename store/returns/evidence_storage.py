"""Where the bytes of evidence lie: a folder, or an S3-compatible store. Names are ours; nobody's becomes a path."""

from __future__ import annotations

import asyncio
import os
from pathlib import Path

import obstore
from obstore.exceptions import AlreadyExistsError, BaseError
from obstore.store import ObjectStore

from store.errors import StoreError
from store.object_stores import S3Access, object_store_at

TIMEOUT_S = 20
EXTENSIONS = {"image/jpeg": "jpg", "image/png": "png", "image/webp": "webp"}


class VaultFull(StoreError):
    """No space left: the picture was not stored, and nothing of it remains."""


class VaultUnavailable(StoreError):
    """The object store did not answer, or refused us. Worth repeating."""


class NotInVault(StoreError):
    """The books name it, the object store does not have it."""


class Vault:
    """`put` returns only when the bytes are there for good."""

    def __init__(self, store: ObjectStore, folder: Path | None = None) -> None:
        self._store = store
        self._folder = folder

    @classmethod
    def at(cls, url: str, s3: S3Access | None = None) -> Vault:
        """As `object_store_at`. Raises `ValueError`."""
        return cls(*object_store_at(url, "evidence", s3))

    async def put(self, evidence_id: str, content_type: str, content: bytes) -> None:
        """Never over another picture. Raises `VaultFull`, `VaultUnavailable`."""
        key = _key(evidence_id, content_type)
        try:
            await asyncio.wait_for(
                obstore.put_async(self._store, key, content, mode="create", attributes=_attributes(self, content_type)),
                TIMEOUT_S,
            )
            if self._folder is not None:
                await asyncio.to_thread(_to_disk, self._folder / key)
        except AlreadyExistsError:
            raise VaultUnavailable(f"evidence {evidence_id} exists already; upload it under a new name") from None
        except (BaseError, OSError, TimeoutError) as error:
            await self._forget(key)
            if "No space left" in str(error) or "os error 28" in str(error) or "QuotaExceeded" in str(error):
                raise VaultFull("the evidence store is full; make room and upload again") from None
            raise VaultUnavailable(
                f"the evidence store cannot be written ({type(error).__name__}); try again"
            ) from None

    async def get(self, evidence_id: str, content_type: str) -> bytes:
        """Raises `NotInVault`, `VaultUnavailable`."""
        try:
            found = await asyncio.wait_for(obstore.get_async(self._store, _key(evidence_id, content_type)), TIMEOUT_S)
            return bytes(await asyncio.wait_for(found.bytes_async(), TIMEOUT_S))
        except FileNotFoundError:
            raise NotInVault(f"evidence {evidence_id} is not in the evidence store; was it moved?") from None
        except (BaseError, OSError, TimeoutError) as error:
            raise VaultUnavailable(f"the evidence store cannot be read ({type(error).__name__}); try again") from None

    async def remove(self, evidence_id: str, content_type: str) -> None:
        await self._forget(_key(evidence_id, content_type))

    async def erase(self, evidence_id: str, content_type: str) -> None:
        """As `remove`, for who has to know that it is gone. Raises `VaultUnavailable`."""
        try:
            await asyncio.wait_for(obstore.delete_async(self._store, _key(evidence_id, content_type)), TIMEOUT_S)
        except FileNotFoundError:
            return
        except (BaseError, OSError, TimeoutError) as error:
            raise VaultUnavailable(
                f"evidence {evidence_id} could not be deleted ({type(error).__name__}); it is tried again"
            ) from None

    async def _forget(self, key: str) -> None:
        try:
            await asyncio.wait_for(obstore.delete_async(self._store, key), TIMEOUT_S)
        except (BaseError, OSError, TimeoutError):
            return  # an orphan under a name that nobody knows: it harms nobody


def _key(evidence_id: str, content_type: str) -> str:
    """Two levels, so that no folder grows without end."""
    if not evidence_id.isalnum() or not evidence_id.isascii():
        raise ValueError("evidence ids are letters and digits of our own making")
    return f"{evidence_id[:2]}/{evidence_id}.{EXTENSIONS[content_type]}"


def _attributes(vault: Vault, content_type: str) -> dict[str, str] | None:
    return None if vault._folder is not None else {"Content-Type": content_type}


def _to_disk(path: Path) -> None:
    """The rename is atomic already; now it survives a power cut, before the books name it."""
    for place in (path, path.parent):
        handle = os.open(place, os.O_RDONLY)
        try:
            os.fsync(handle)
        finally:
            os.close(handle)
