"""What business people publish in versions besides rules and policies: automations and forms. The newest counts."""

from collections.abc import Mapping
from dataclasses import dataclass
from datetime import datetime
from typing import Any, Literal, TypeVar

from domain.records import AuditEntry
from domain.strict import Strict, of
from store.audit.audit import append_entry
from store.errors import BookOvertaken
from store.pool import Connection, Pool, Row

BookKind = Literal["automations", "forms"]
B = TypeVar("B", bound=Strict)

NEWEST = """
SELECT version, content, since, published_by, published_at FROM business_books WHERE kind = $1
ORDER BY version DESC LIMIT 1"""
VERSION = """
SELECT version, content, since, published_by, published_at FROM business_books WHERE kind = $1 AND version = $2"""
# The version that counted at a moment.
AT = """
SELECT version, content, since, published_by, published_at FROM business_books WHERE kind = $1 AND published_at <= $2
ORDER BY version DESC LIMIT 1"""
HISTORY = """
SELECT version, content, since, published_by, published_at FROM business_books WHERE kind = $1
ORDER BY version DESC LIMIT $2"""
PUBLISH = """
INSERT INTO business_books (kind, version, content, since, published_by, published_at, approval_id)
VALUES ($1, $2, $3, $4, $5, $6, $7)"""
ONE_PUBLISHER = "SELECT hold('books')"


@dataclass(frozen=True)
class PublishedBook:
    """One version. `since`: of automations, by id, since when each counts as it is."""

    version: int
    content: Mapping[str, Any]
    since: Mapping[str, str]
    published_by: str
    published_at: datetime

    def read(self, kind: type[B]) -> B:
        return of(kind, {**self.content, "version": self.version})


class BookStore:
    def __init__(self, pool: Pool) -> None:
        self._pool = pool

    async def newest(self, kind: BookKind) -> PublishedBook | None:
        """None: nobody has published one, and the built-in one counts."""
        async with self._pool.acquire() as connection:
            return await newest_book(connection, kind)

    async def version(self, kind: BookKind, version: int) -> PublishedBook | None:
        return _published(await self._pool.fetchrow(VERSION, kind, version))

    async def history(self, kind: BookKind, limit: int = 20) -> tuple[PublishedBook, ...]:
        """Newest first."""
        return tuple(PublishedBook(**row) for row in await self._pool.fetch(HISTORY, kind, limit))


async def newest_book(connection: Connection, kind: BookKind) -> PublishedBook | None:
    return _published(await connection.fetchrow(NEWEST, kind))


async def book_at(connection: Connection, kind: BookKind, at: datetime) -> PublishedBook | None:
    return _published(await connection.fetchrow(AT, kind, at))


async def publish_book(
    connection: Connection, kind: BookKind, content: dict[str, Any], since: Mapping[str, str], *,
    based_on: int, by: str, approval_id: str, at: datetime,
) -> int:  # fmt: skip
    """Inside a transaction: the version that it got. Raises `BookOvertaken` when another one counts by now."""
    await connection.execute(ONE_PUBLISHER)
    last = await newest_book(connection, kind)
    now = last.version if last else 0
    if now != based_on:
        raise BookOvertaken(kind, based_on, now)
    await connection.execute(PUBLISH, kind, now + 1, content, dict(since), by, at, approval_id)
    detail = {"version": now + 1, "approval_id": approval_id}
    await append_entry(connection, AuditEntry(actor=by, action=f"{kind}.publish", detail=detail), at)
    return now + 1


def _published(row: Row | None) -> PublishedBook | None:
    return None if row is None else PublishedBook(**row)
