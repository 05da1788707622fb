"""Order files: dropped, looked at, mapped by choosing, started, with what did not go in as a file again."""

from console.pages.importing import page, starting

PAGES = (page, starting)
