"""Where machines come in: bytes in, verified, into the inbox."""
