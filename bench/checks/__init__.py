"""Invariants, held against the books and against what the sandboxes say."""
