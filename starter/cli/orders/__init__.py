"""`oms order`: start, look, change, explain."""
