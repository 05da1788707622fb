"""Workflows that never end: asking connectors, the nightly comparison, following parcels."""
