"""Money: lists of what moved, the night's differences, and what moved without us."""

from console.pages.finance import differences, listing, outside

PAGES = (listing, differences, outside)
