"""The list of orders: filters, columns, saved views, and what is done with many at once."""

from console.pages.orders import batch, export, holding, labels, listing, views

PAGES = (listing, views, batch, labels, holding, export)
