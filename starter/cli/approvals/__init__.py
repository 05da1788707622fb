"""`oms approve`, people and tokens."""
