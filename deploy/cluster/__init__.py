"""A Temporal cluster on this machine as production has it: PostgreSQL, certificates, walls. On loopback, for trials."""
