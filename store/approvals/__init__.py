"""Who may approve, and what was decided."""
