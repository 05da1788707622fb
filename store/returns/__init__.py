"""Cases in the books: units and money held by one statement each, so that no race returns or refunds too much."""

from store.returns.cases import ReturnStore

__all__ = ["ReturnStore"]
