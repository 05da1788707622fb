"""The open API: programs of others, by tokens (docs/api.md)."""
