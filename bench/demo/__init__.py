"""Real orders through payment, warehouse, carrier and courier to their ends; then the books are checked."""
