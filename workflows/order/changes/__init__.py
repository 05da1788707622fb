"""What people change about an order under way: shipped together, split by hand, another address, another source."""
