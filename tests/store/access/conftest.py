"""A database of its own, and logins of every role."""

from tests.postgres import database_url, pool

__all__ = ["database_url", "pool"]
