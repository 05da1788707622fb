"""The fault harness: load, faults drawn from one seed, heal, drain, then every invariant is checked."""
