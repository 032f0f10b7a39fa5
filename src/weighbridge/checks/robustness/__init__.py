"""Robustness: how much of a model's accuracy is left when its inputs may change a little."""
