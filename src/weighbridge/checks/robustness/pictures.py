"""Show a few examples as they were and as the attack changed them."""

from __future__ import annotations

import base64
from typing import Final

import numpy as np

from weighbridge.checks.robustness.proposals import Image
from weighbridge.checks.runners.interface import Floats, Labels
from weighbridge.evidence.measurements import Picture

MAX_PICTURES: Final = 8
"""Most pictures in the evidence of one entry."""

MAX_SIDE: Final = 64
"""Largest height and width of a picture in evidence."""


def can_show(image: Image | None) -> bool:
    """Tell whether examples are grey, square and small enough to be shown."""
    return image is not None and image[0] == 1 and image[1] == image[2] <= MAX_SIDE


def encode(row: Floats, bounds: tuple[float, float]) -> str:
    """Return a row's values as base64 of one byte each, 0 for the lower bound and 255 for the upper."""
    scaled = (row - bounds[0]) / (bounds[1] - bounds[0]) * 255.0
    return base64.b64encode(np.clip(np.rint(scaled), 0, 255).astype(np.uint8).tobytes()).decode("ascii")


def picture(
    clean: Floats, adversarial: Floats, *, image: Image, bounds: tuple[float, float], label: int, predicted: Labels
) -> Picture:
    """Return one example; ``predicted`` holds the label predicted for the clean and for the changed input."""
    return Picture(
        height=image[1],
        width=image[2],
        clean=encode(clean, bounds),
        adversarial=encode(adversarial, bounds),
        label=label,
        clean_prediction=int(predicted[0]),
        adversarial_prediction=int(predicted[1]),
    )
