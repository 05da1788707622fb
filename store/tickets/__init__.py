"""Tickets as a work queue: opened, escalated, told of."""
