"""Who may decide, by which policy, and what was done: people, settings, audit."""

from console.pages.controls import audit, people, settings

PAGES = (people, settings, audit)
