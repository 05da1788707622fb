"""Returns for customer service: the list, one case, applying for a buyer, and what is done with a case."""

from console.pages.returns import acts, applying, linking, listing, page

PAGES = (listing, applying, linking, acts, page)
