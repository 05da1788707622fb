"""What the books call things, in words: English here, the Chinese in the catalogue."""
