"""Refunds: their numbers, and the states they go through."""
