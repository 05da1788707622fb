"""Automations in the browser: which there are, one of them tried and asked for, what they did, and the switch."""

from console.pages.automation import editing, listing

PAGES = (listing, editing)
