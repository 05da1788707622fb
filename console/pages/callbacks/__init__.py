"""What outside systems told us, how much of it was believed, and what we told others."""
