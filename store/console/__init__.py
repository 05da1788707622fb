"""What the web console keeps and asks for itself: sessions, scopes, figures of the day."""
