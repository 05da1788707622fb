"""Messages from machines: taken once, delivered, replayed, kept for as long as they matter."""
