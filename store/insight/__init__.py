"""What reports of months and weeks are made of, and the versions of them."""
