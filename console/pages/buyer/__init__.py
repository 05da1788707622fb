"""「我要售后」 for a buyer with a link, or with a code to the order's phone: returns, whose turn it is, applying."""

from console.pages.buyer import acts, guests, page

PAGES = (guests, page, acts)
"""Guests first: /buyer/guest is no link."""
