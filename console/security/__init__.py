"""Walls around every page: headers, sizes, who may see what, what is refused."""
