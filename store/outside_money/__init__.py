"""Money of orders that moved without us: found once, and counted only by a decision."""
