"""Questions that people decide: asked, reminded of, escalated, used once."""
