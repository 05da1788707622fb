"""One file a page: what it asks the store, what it shows."""
