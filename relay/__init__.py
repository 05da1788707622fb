"""Where machines come in: receive, verify, store in the inbox, acknowledge; then deliver. No business rules."""
