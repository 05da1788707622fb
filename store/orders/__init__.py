"""Orders in the books: registration, settlement, writes, children, plans, payments, labels."""
