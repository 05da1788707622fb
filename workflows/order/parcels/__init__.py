"""The parcels of an order: each a branch of its own, with its warehouse, label, stock and tickets."""
