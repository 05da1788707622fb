"""Months put straight into the tables, to report on: for the scenarios, the tests and the measurement."""
