"""Figures against other tools, each with its ratio in the same run; nothing of it is shipped."""
