"""The carrier system that books parcels and prints labels, spoken to in our own contract (docs/contract/tms.md)."""
