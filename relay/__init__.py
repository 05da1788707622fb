"""Machine door: receive, verify, store in the inbox, acknowledge; then deliver to the orders. No business rules."""
