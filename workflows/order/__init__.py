"""One order, from placement to the end of its after-sales window."""
