"""The typed clients of backends, the command line and the console."""
