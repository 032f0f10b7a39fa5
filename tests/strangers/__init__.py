"""Model folders as their tools write them, and what Weighbridge says of each: see ``__main__.py``."""
