"""The `oms` command line: people's way to orders, tickets, events, stock, catalogue and policy."""
