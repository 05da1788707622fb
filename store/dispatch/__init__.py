"""When orders may leave: holds, and what was promised."""
