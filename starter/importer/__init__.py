"""Orders out of CSV files, by a declarative mapping: rounded once, reported row by row, never half an order."""
