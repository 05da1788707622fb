"""Questions for people: the queue, one of them, and many alike at once."""
