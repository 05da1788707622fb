"""Ways to run the product: `deploy.local` on one machine without Docker, the compose file for a server."""
