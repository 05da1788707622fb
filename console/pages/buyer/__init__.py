"""「我要售后」 for a buyer with a link: one order, its returns, whose turn it is, and applying. Phone and PC alike."""

from console.pages.buyer import acts, page

PAGES = (page, acts)
