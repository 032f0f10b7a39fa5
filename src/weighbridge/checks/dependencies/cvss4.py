"""Base score (CVSS-B) of CVSS v4.0 vectors.

Source: FIRST, Common Vulnerability Scoring System v4.0: Specification Document, section 8 (scoring) with the tables
of macro-vector scores and depths published beside it. Threat and environmental metrics take their defaults
(attacked, high requirements), so of the 270 macro vectors only the 60 that the base metrics can reach are needed.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import Final

_LEVELS: Final[dict[str, str]] = {
    "AV": "NALP",
    "PR": "NLH",
    "UI": "NPA",
    "AC": "LH",
    "AT": "NP",
    "VC": "HLN",
    "VI": "HLN",
    "VA": "HLN",
    "SC": "HLN",
    "SI": "HLN",
    "SA": "HLN",
}
"""The values of each base metric, worst first; the place of a value is its distance from the worst."""

_SCORES: Final[dict[str, tuple[float, float]]] = {
    "0000": (10.0, 9.3),
    "0001": (9.6, 9.0),
    "0010": (9.3, 8.8),
    "0011": (9.2, 8.0),
    "0021": (7.9, 6.9),
    "0100": (9.5, 9.2),
    "0101": (9.1, 8.1),
    "0110": (9.2, 8.4),
    "0111": (8.2, 7.0),
    "0121": (7.1, 6.3),
    "1000": (9.4, 8.7),
    "1001": (8.9, 7.5),
    "1010": (8.6, 7.2),
    "1011": (7.6, 5.7),
    "1021": (6.5, 5.3),
    "1100": (9.0, 7.7),
    "1101": (7.7, 6.6),
    "1110": (7.4, 6.1),
    "1111": (5.9, 5.2),
    "1121": (5.8, 2.3),
    "2000": (8.6, 7.0),
    "2001": (7.4, 5.4),
    "2010": (7.2, 5.3),
    "2011": (5.7, 3.6),
    "2021": (4.7, 2.4),
    "2100": (7.3, 5.4),
    "2101": (5.5, 4.3),
    "2110": (6.1, 4.6),
    "2111": (5.1, 1.8),
    "2121": (2.4, 1.0),
}
"""Score of a macro vector: the key is EQ1, EQ2, EQ3 and EQ6; the pair is EQ4 = 1 and EQ4 = 2; EQ5 is 0."""

_IMPACTS: Final = ("VC", "VI", "VA", "SC", "SI", "SA")
_NONE: Final = 2
_PHYSICAL: Final = 3

_DEPTH_EQ1: Final = (1, 4)
_DEPTH_EQ3: Final = (7, 8)
_DEPTH_EQ4: Final = 5
"""Steps from the worst to the mildest vector of a class, for the classes that have a lower neighbour."""

_PAIRS: Final = ("00", "10", "21")
_NEXT_EQ3: Final = (("01", "10"), ("11",), ())
"""EQ3 and EQ6 that a class of EQ3 has, and those of its lower neighbours."""

_EPSILON: Final = 1e-6


@dataclass(frozen=True, slots=True)
class _Macro:
    """The equivalence classes of a vector; EQ6 follows from EQ3, and EQ5 is 0, for base metrics."""

    eq1: int
    eq2: int
    eq3: int
    eq4: int

    def score(self, *, eq1: int = 0, eq2: int = 0, eq3: str | None = None, eq4: int = 0) -> float:
        """Return the score of this macro vector, or of one with some classes lowered."""
        pair = eq3 or _PAIRS[self.eq3]
        return _SCORES[f"{self.eq1 + eq1}{self.eq2 + eq2}{pair}"][self.eq4 + eq4]


def score_v4(metrics: dict[str, str]) -> float | None:
    """Return the base score, or None when a base metric is missing or has no such value."""
    far: dict[str, int] = {}
    for name, values in _LEVELS.items():
        value = metrics.get(name, "")
        if len(value) != 1 or value not in values:
            return None
        far[name] = values.index(value)
    if all(far[name] == _NONE for name in _IMPACTS):
        return 0.0
    macro = _classify(far)
    moves = _moves(far, macro)
    # Halves are rounded up, and the small addition keeps a tie from falling one unit in the last place short.
    return int((macro.score() - sum(moves) / len(moves) + _EPSILON) * 10 + 0.5) / 10


def _classify(far: dict[str, int]) -> _Macro:
    reach = [far["AV"], far["PR"], far["UI"]]
    impact = [far["VC"], far["VI"], far["VA"]]
    near = 0 in reach and far["AV"] != _PHYSICAL
    high = 0 in impact
    return _Macro(
        eq1=0 if not any(reach) else 1 if near else 2,
        eq2=int(far["AC"] > 0 or far["AT"] > 0),
        eq3=0 if not any(impact[:2]) else 1 if high else 2,
        eq4=0 if 0 in (far["SC"], far["SI"], far["SA"]) else 1,
    )


def _moves(far: dict[str, int], macro: _Macro) -> list[float]:
    """Return, for each class with a lower neighbour, how far the score moves towards it."""
    here = macro.score()
    moves = [0.0]  # EQ5 always has a lower neighbour and no depth
    # The distance from the worst vector of a class; the worst of class n lies n (or 3n) steps from the worst of all.
    if macro.eq1 < len(_DEPTH_EQ1):
        steps = far["AV"] + far["PR"] + far["UI"] - macro.eq1
        moves.append((here - macro.score(eq1=1)) * steps / _DEPTH_EQ1[macro.eq1])
    if macro.eq2 == 0:
        # Both metrics are at their worst in class 0, so it has no depth either.
        moves.append(0.0)
    if _NEXT_EQ3[macro.eq3]:
        steps = far["VC"] + far["VI"] + far["VA"] - macro.eq3
        below = max(macro.score(eq3=pair) for pair in _NEXT_EQ3[macro.eq3])
        moves.append((here - below) * steps / _DEPTH_EQ3[macro.eq3])
    if macro.eq4 == 0:
        steps = far["SC"] + far["SI"] + far["SA"]
        moves.append((here - macro.score(eq4=1)) * steps / _DEPTH_EQ4)
    return moves
