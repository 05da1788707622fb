"""Measuring and proving from outside: scenarios, the demo, invariants, faults."""
