"""The return desk: one field for the scanner, one large answer, grades by single keys."""

from console.pages.desk import acts, scanning

PAGES = (scanning, acts)
