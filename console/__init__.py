"""The web console: pages by which people of a shop work. Reads through the store, acts through the typed clients."""
