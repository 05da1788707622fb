"""The local issuer of a developer's stack: the one process there that can name anybody (decision 0040)."""
