"""SKUs and their tags."""
