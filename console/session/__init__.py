"""Who is signed in, and how what they do is proven."""
