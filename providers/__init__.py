"""Protocol clients of the outside systems: sign, call, verify, parse, map to facts. No Temporal, no SQL."""
