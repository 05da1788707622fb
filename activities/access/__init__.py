"""Who gives a command: verified, looked up, written down."""
