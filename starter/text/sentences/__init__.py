"""Sentences of importer, workers and books in Chinese: each by its pattern."""
