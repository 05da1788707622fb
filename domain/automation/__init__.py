"""Automations (R83): a closed table of what happens, on which condition, and what is then done. Nothing here acts."""
