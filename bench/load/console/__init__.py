"""How long the console's pages take when the books are full."""
