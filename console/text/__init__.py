"""Chinese and English: catalogues, words for states, dates and money as people write them."""
