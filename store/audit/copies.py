"""A second place for the audit's anchors, out of reach of whoever can cut the audit and the anchor's file together.

One object an anchor, named by its row, never written twice. In an S3-compatible store give the bucket a default
retention (object lock, compliance mode): then nobody can delete one before its time.
"""

from __future__ import annotations

import asyncio
import re

import obstore
from obstore.exceptions import AlreadyExistsError, BaseError
from obstore.store import ObjectStore

from domain.strict import UnableToRead, parse
from store.audit.anchor import Anchor, UnableToAnchor
from store.object_stores import S3Access, object_store_at

TIMEOUT_S = 20
NEWEST = 100
"""Copies that are read: a row's hash stands for all rows before it."""
_DIGITS = 19
NAME = re.compile(rf"\d{{{_DIGITS}}}-[0-9a-f]{{64}}\.json")
"""Other names are told and stand in nobody's way, however they sort."""


class AnchorCopies:
    def __init__(self, store: ObjectStore, key: bytes) -> None:
        self._store = store
        self._key = key

    @classmethod
    def at(cls, url: str, key: bytes, s3: S3Access | None = None) -> AnchorCopies:
        """As `object_store_at`. Raises `ValueError`."""
        return cls(object_store_at(url, "copies of anchors", s3)[0], key)

    async def put(self, anchor: Anchor) -> None:
        """There when it returns; one that is there already stays. Raises `UnableToAnchor`."""
        name = f"{anchor.seq:0{_DIGITS}}-{anchor.mac}.json"
        try:
            await asyncio.wait_for(obstore.put_async(self._store, name, anchor.line(), mode="create"), TIMEOUT_S)
        except AlreadyExistsError:
            return
        except (BaseError, OSError, TimeoutError) as error:
            raise UnableToAnchor(f"the copy of an anchor cannot be written ({type(error).__name__})") from None

    async def newest(self, most: int = NEWEST) -> tuple[tuple[Anchor, ...], tuple[str, ...]]:
        """Those of the highest rows that we signed, and what is wrong with others. Raises `UnableToAnchor`."""
        try:
            async with asyncio.timeout(TIMEOUT_S):
                found = [entry["path"] async for page in obstore.list(self._store) for entry in page]
                names = sorted(name for name in found if NAME.fullmatch(name))[-most:]
                bodies = [await self._body(name) for name in names]
        except (BaseError, OSError, TimeoutError) as error:
            raise UnableToAnchor(f"the copies of the anchors cannot be read ({type(error).__name__})") from None
        anchors: list[Anchor] = []
        strange = [name for name in found if not NAME.fullmatch(name)]
        problems = [f"{name[:100]} among the copies is none of ours" for name in strange[:most]]
        for name, body in zip(names, bodies, strict=True):
            try:
                anchor = parse(Anchor, body)
            except UnableToRead:
                problems.append(f"the copy {name} is no anchor")
                continue
            if anchor.is_signed_with(self._key):
                anchors.append(anchor)
            else:
                problems.append(f"the copy {name} was not signed with our key")
        return tuple(anchors), tuple(problems)

    async def _body(self, name: str) -> bytes:
        return bytes(await (await obstore.get_async(self._store, name)).bytes_async())
