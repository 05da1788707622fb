"""Who wrote it, and who may: seals of our own processes."""
