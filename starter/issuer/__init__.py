"""The local issuer: the one process of an installation that can name its people (decisions 0043, 0054)."""
