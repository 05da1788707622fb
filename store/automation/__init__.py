"""Automations in the books: what is published, what has happened, what was done about it, once each (decision 0072)."""
