"""After-sales forms as they are asked of applications, and the merchant's numbers for slips (decision 0073)."""
