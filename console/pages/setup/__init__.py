"""What an empty installation still needs, step by step, and the ready sets to begin with (R76, R80)."""

from console.pages.setup import first_order, steps

PAGES = (steps, first_order)
