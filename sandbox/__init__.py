"""Servers that speak the outside systems' protocols, each with its own books and faults. Imports no room of ours."""
