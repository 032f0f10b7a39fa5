"""Every rule of the leakage test."""

from __future__ import annotations

from typing import Final

from weighbridge.checks.rule import Rule

RULES: Final = (
    Rule(
        id="training-rows-in-artifact",
        title="rows of the training data lie inside the model's file",
        meaning=(
            "Some models keep their training data, such as nearest neighbours and support vectors. Whoever gets the "
            "file gets those rows, without any attack."
        ),
        remedy="use a model that does not keep its training data, or treat the file as the data itself",
        cwe=(200,),
    ),
)
"""The rules of the leakage test."""
