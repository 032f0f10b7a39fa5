"""Tell whether a marker may hold where a model is served.

Which Python runs the audit is the choice of whoever asks for it, and no evidence of where the model will run. So a
package is passed over only when its marker holds nowhere on a GPU node: on no CPython of Linux, of either machine that
has such nodes, and whichever extras and groups are asked for. What holds somewhere is judged.
"""

from __future__ import annotations

import re
from collections.abc import Iterator, Mapping, Sequence, Set
from dataclasses import dataclass, field
from itertools import chain, combinations, product
from typing import Final

from packaging.markers import EvaluateContext, Marker
from packaging.specifiers import SpecifierSet

from weighbridge.checks.dependencies.names import canonical

PYTHONS: Final = tuple(f"3.{minor}" for minor in range(6, 16))
"""Python versions that serve models."""

MACHINES: Final = ("x86_64", "aarch64")

MAX_TRIED: Final = 64
"""Most patch releases, choices of extras and groups, and markers of one name that are tried; with more it is judged."""

_PATCHES: Final = frozenset({0, 99})
_UNTOLD: Final = ("platform_release", "platform_version")
_FULL: Final = ("python_full_version", "implementation_version")
_PATCH: Final = re.compile(r"\d\.\d+\.(\d{1,4})")
_NUMBER: Final = re.compile(r"\d{1,4}")
_QUOTED: Final = re.compile(r"\"([^\"]*)\"|'([^']*)'")

Place = Mapping[str, str | Set[str]]


@dataclass(frozen=True, slots=True)
class Targets:
    """Where a model may be served: by which Pythons, and with which of what the installer is asked for.

    ``values`` are what else a marker of the format may name; of the names in ``choices`` whoever installs takes any.
    """

    pythons: SpecifierSet = field(default_factory=SpecifierSet)
    values: Place = field(default_factory=dict)
    choices: Mapping[str, Set[str]] = field(default_factory=dict)

    def may_hold(self, marker: Marker, *, context: EvaluateContext) -> bool:
        """Return whether a marker holds in at least one place.

        A marker about a kernel release is taken to hold, since no lock says what it will be.

        Raises:
            UndefinedComparison, UndefinedEnvironmentName, TypeError: It cannot be evaluated.
        """
        places = None if _untold(marker) else self._places([marker])
        return places is None or any(marker.evaluate(place, context=context) for place in places)

    def covered(self, marker: Marker | None, by: Sequence[Marker | None], *, context: EvaluateContext) -> bool:
        """Return whether, wherever a marker holds, one of the others does; None holds everywhere.

        Raises:
            UndefinedComparison, UndefinedEnvironmentName, TypeError: One cannot be evaluated.
        """
        if None in by or marker in by:
            return True
        if len(by) > MAX_TRIED:
            return False
        others = [each for each in by if each is not None and not _untold(each)]
        where = None if marker is None or _untold(marker) else marker
        places = self._places([*others, *([] if where is None else [where])])
        return places is not None and all(
            any(each.evaluate(place, context=context) for each in others)
            for place in places
            if where is None or where.evaluate(place, context=context)
        )

    def _places(self, markers: Sequence[Marker]) -> Iterator[Place] | None:
        """Return the places between which these markers may tell; None when there are too many to try."""
        texts = [f"{marker}" for marker in markers]
        patches = _patches([f"{self.pythons}", *(text for text in texts if any(name in text for name in _FULL))])
        said = {canonical(one or other) for text in texts for one, other in _QUOTED.findall(text)}
        chosen = [_subsets(name, names, said) for name, names in self.choices.items()]
        if len(patches) > MAX_TRIED or any(each is None for each in chosen):
            return None
        every = [(python, f"{python}.{patch}") for python in PYTHONS for patch in sorted(patches)]
        # A lock for none of these Pythons is judged as for all of them, not passed over.
        fitting = [each for each in every if self.pythons.contains(each[1], prereleases=True)] or every
        return (
            {**_environment(python, full, machine), **self.values, **dict(sets)}
            for (python, full), machine in product(fitting, MACHINES)
            for sets in product(*(each for each in chosen if each))
        )


def _untold(marker: Marker) -> bool:
    return any(name in f"{marker}" for name in _UNTOLD)


def _patches(texts: Sequence[str]) -> set[int]:
    # What compares versions changes its answer at those that it names only; what looks for a part of a version, at any
    # that has the part. So these and their neighbours are tried, with a first and a late one.
    named = {int(found) for text in texts for found in (_NUMBER if " in " in text else _PATCH).findall(text)}
    return {*_PATCHES, *(near for patch in named for near in (patch - 1, patch, patch + 1) if near >= 0)}


def _subsets(name: str, names: Set[str], said: Set[str]) -> list[tuple[str, frozenset[str]]] | None:
    # Those that the marker does not say make no difference, so they are all taken.
    free = [each for each in sorted(names) if canonical(each) in said]
    if 2 ** len(free) > MAX_TRIED:
        return None
    left_out = chain.from_iterable(combinations(free, count) for count in range(len(free) + 1))
    return [(name, frozenset(names - set(without))) for without in left_out]


def _environment(python: str, full: str, machine: str) -> dict[str, str]:
    return {
        "implementation_name": "cpython",
        "implementation_version": full,
        "os_name": "posix",
        "platform_machine": machine,
        "platform_python_implementation": "CPython",
        "platform_system": "Linux",
        "python_full_version": full,
        "python_version": python,
        "sys_platform": "linux",
    }
