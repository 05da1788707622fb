"""Mail to people of ours, by the company's own server."""
