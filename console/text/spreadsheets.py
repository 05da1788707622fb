"""Cells of the CSV files that people take away from pages."""

from datetime import datetime

from console.text.language import CHINA
from starter.importer.catalogue_out import STARTS_FORMULA


def cell(value: object) -> str:
    """No text begins a formula."""
    if isinstance(value, datetime):
        return value.astimezone(CHINA).isoformat(timespec="seconds")
    text = str(value)
    return f"'{text}" if isinstance(value, str) and text.startswith(STARTS_FORMULA) else text
