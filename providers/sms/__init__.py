"""Short messages to phones: one code, by a template that the channel has approved."""
