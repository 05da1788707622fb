"""`oms rules` and policies."""
