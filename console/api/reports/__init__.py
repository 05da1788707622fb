"""What is said of all orders: reports of months and weeks, the return risk, how orders went, boards."""
