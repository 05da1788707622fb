"""The local stack: PostgreSQL, Temporal, sandboxes, relay and worker as processes of this machine."""
