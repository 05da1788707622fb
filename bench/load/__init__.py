"""Measurements: bursts, what an order costs, what histories hold."""
