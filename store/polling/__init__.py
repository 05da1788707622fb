"""What is asked for by ourselves, what was found, and how far the nightly comparison got."""
