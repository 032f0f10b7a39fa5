"""Judges a Jinja template by its syntax tree; nothing of it is ever rendered or compiled."""
