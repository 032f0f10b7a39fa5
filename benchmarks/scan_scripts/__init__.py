"""One script a scanner, run by the Python of its own environment."""
