"""Refunds: each is asked for once, and is over when the channel says so."""
