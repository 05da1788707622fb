"""What people read, in two languages: catalogues, and sentences found again by their pattern (decision 0074)."""
