"""Pure rules: money, orders, facts, splitting, transitions. No clock, network, files, environment or randomness."""
