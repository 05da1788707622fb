"""Decisions that wait for a role: the queue, one question with what it is about, deciding one or many."""

from console.pages.approvals import deciding, page, queue

PAGES = (queue, deciding, page)
