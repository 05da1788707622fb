"""Who may give commands, and how that is proven."""
