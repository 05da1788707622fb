"""The `oms` command line: people's door to orders, tickets, events, stock, catalogue and policy."""
