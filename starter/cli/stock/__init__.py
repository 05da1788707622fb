"""`oms stock` and `oms catalog`."""
