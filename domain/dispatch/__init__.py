"""When goods may leave: what holds them, and until when they were promised."""
