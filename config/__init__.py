"""Settings: read once from the environment, checked before the first connection."""
