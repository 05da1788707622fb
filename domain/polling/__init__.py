"""What is asked for by ourselves: how often, and what a nightly comparison makes of it."""
