"""Keys, certificates and tokens with which processes show Temporal who they are (docs/operations.md)."""
