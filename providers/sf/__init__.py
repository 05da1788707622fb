"""SF Express (顺丰), spoken to directly: booking, voiding, scans by query and by push (docs/providers.md)."""
