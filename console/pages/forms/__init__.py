"""After-sales forms in the browser: rules by goods and type, how they look, asked for."""

from console.pages.forms import editing

PAGES = (editing,)
