"""Leakage: what a model tells about the rows it was trained on, by its answers and by what lies inside its file."""
