"""What must not leave yet: the book of an order's holds, and what is done about them."""
