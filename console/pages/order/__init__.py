"""The page of one order: what it shows, what may be done from it."""
