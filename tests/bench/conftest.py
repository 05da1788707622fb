"""The measuring tools themselves, on a real database."""

from tests.postgres import database_url, pool

__all__ = ["database_url", "pool"]
