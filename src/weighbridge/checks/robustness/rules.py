"""Every rule of the robustness test."""

from __future__ import annotations

from typing import Final

from weighbridge.checks.rule import Rule

RULES: Final = (
    Rule(
        id="accuracy-under-attack-below-limit",
        title="small changes of its inputs make the model wrong more often than the limit allows",
        meaning=(
            "An attack that may change each input by at most epsilon, and sees only the model's answers, leaves fewer "
            "right answers than asked for. The figure is an upper bound: a stronger attack does worse."
        ),
        remedy="train the model to withstand small changes of its inputs (adversarial training), or lower epsilon",
        cwe=(1039,),
    ),
)
"""The rules of the robustness test."""
