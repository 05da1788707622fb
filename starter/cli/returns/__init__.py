"""`oms return`: apply, desk, evidence."""
