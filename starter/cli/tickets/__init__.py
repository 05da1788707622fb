"""`oms ticket`."""
