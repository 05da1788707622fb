"""Who may decide, by which policy, and what was done: people, settings, audit."""

from console.pages.controls import audit, people, policy_drafts, settings, sources

PAGES = (people, settings, sources, policy_drafts, audit)
