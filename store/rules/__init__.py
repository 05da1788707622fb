"""Rule sets and policies, in versions."""
