"""Decrypts histories for people who may read them: for the Web UI and the plain `temporal` command (decision 0038)."""
