"""Stock and catalogue."""
