"""Which warehouse ships what: fewest parcels first, then cost, then preference."""
