"""Decision tables in the browser: looked at, written as a grid, tried, published by two, taken back."""

from console.pages.rules import drafts, editing, overview

PAGES = (overview, drafts, editing)
