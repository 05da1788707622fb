"""Money: lists of what moved, the night's differences, and what moved without us."""

from console.pages.finance import differences, listing, outside, payouts

PAGES = (listing, differences, payouts, outside)
