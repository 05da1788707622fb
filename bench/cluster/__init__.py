"""A server with walls, and everybody who tries to get through them."""
