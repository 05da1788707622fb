"""After-sales: who may apply, what goes back, who decides, what is paid. Pure rules (R40-R58)."""
