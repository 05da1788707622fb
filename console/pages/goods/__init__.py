"""Goods: what is there and why, what has come in, what the catalogue knows of SKUs."""
