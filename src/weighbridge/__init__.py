"""Weighbridge lets no model onto a GPU unverified."""

from __future__ import annotations

__version__ = "0.1.0"
