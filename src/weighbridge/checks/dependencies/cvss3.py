"""Base score of CVSS v3.0 and v3.1 vectors.

Source: FIRST, Common Vulnerability Scoring System v3.1: Specification Document, sections 7.1 and 7.4 and appendix A
(rounding); v3.0 differs in the rounding only.
"""

from __future__ import annotations

import math
from typing import Final

_VALUES: Final[dict[str, dict[str, float]]] = {
    "AV": {"N": 0.85, "A": 0.62, "L": 0.55, "P": 0.2},
    "AC": {"L": 0.77, "H": 0.44},
    "UI": {"N": 0.85, "R": 0.62},
    "C": {"H": 0.56, "L": 0.22, "N": 0.0},
    "I": {"H": 0.56, "L": 0.22, "N": 0.0},
    "A": {"H": 0.56, "L": 0.22, "N": 0.0},
}
_PRIVILEGES: Final[dict[str, dict[str, float]]] = {
    "U": {"N": 0.85, "L": 0.62, "H": 0.27},
    "C": {"N": 0.85, "L": 0.68, "H": 0.5},
}


def score_v3(metrics: dict[str, str], *, minor: str) -> float | None:
    """Return the base score, or None when a base metric is missing or has no such value.

    Temporal and environmental metrics are left aside: they are about the reader's site, not about the record.
    """
    try:
        value = {name: levels[metrics[name]] for name, levels in _VALUES.items()}
        scope = metrics["S"]
        privileges = _PRIVILEGES[scope][metrics["PR"]]
    except KeyError:
        return None
    base = 1 - (1 - value["C"]) * (1 - value["I"]) * (1 - value["A"])
    changed = scope == "C"
    impact = 7.52 * (base - 0.029) - 3.25 * (base - 0.02) ** 15 if changed else 6.42 * base
    if impact <= 0:
        return 0.0
    exploitability = 8.22 * value["AV"] * value["AC"] * privileges * value["UI"]
    total = min((1.08 if changed else 1.0) * (impact + exploitability), 10.0)
    return math.ceil(total * 10) / 10 if minor == "0" else _round_up(total)


def _round_up(total: float) -> float:
    # Whole numbers keep the result the same on every machine; appendix A of the specification.
    scaled = round(total * 100_000)
    if scaled % 10_000 == 0:
        return scaled / 100_000
    return (scaled // 10_000 + 1) / 10.0
