"""Durable processes: deterministic, no I/O, no clock but the workflow's own."""
