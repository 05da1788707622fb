"""Whether every paid unit and every fen that came in has one owner: asked of the books, at any time."""
