"""The append-only, hash-chained audit and the head kept outside of it."""
