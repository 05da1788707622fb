"""What other systems may hear, and where it may be sent."""
