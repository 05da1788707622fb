"""Parcels on their way to a buyer, whoever sends them: an order's children, and what an exchange sends instead."""
