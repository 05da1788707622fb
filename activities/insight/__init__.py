"""What is computed of all orders: reports of months and weeks, the trained return risk, offers in time."""
