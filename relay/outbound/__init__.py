"""Events for other systems: claimed from the outbox's deliveries, signed, sent, and tried again (R05, R74)."""
