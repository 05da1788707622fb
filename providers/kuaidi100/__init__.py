"""Kuaidi100 (快递100), the parcel tracker over all Chinese couriers: subscribe, query, pushes (docs/providers.md)."""
