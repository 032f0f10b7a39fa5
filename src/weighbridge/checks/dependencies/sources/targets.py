"""Tell whether a marker may hold where a model is served.

Which Python runs the audit is the choice of whoever asks for it, and no evidence of where the model will run. So a
package is passed over only when its marker holds nowhere on a GPU node: on no CPython of Linux, of either machine that
has such nodes. What holds somewhere is judged.
"""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Set
from itertools import product
from typing import Final

from packaging.markers import EvaluateContext, Marker
from packaging.specifiers import SpecifierSet

PYTHONS: Final = tuple(f"3.{minor}" for minor in range(6, 16))
"""Python versions that serve models; each is tried with its first and with a late patch release."""

MACHINES: Final = ("x86_64", "aarch64")

_PATCHES: Final = (0, 99)
_UNTOLD: Final = ("platform_release", "platform_version")


Place = Mapping[str, str | Set[str]]


def places(*, pythons: str = "", values: Place) -> tuple[Place, ...]:
    """Return the environments that markers are tried in; ``values`` are what else a marker of the format may name.

    Raises:
        InvalidSpecifier: ``pythons`` is no version specifier.
    """
    wanted = SpecifierSet(pythons)
    return tuple(
        {**_environment(python, f"{python}.{patch}", machine), **values}
        for python, patch, machine in product(PYTHONS, _PATCHES, MACHINES)
        if wanted.contains(f"{python}.{patch}", prereleases=True)
    )


def may_hold(marker: Marker, among: Iterable[Place], *, context: EvaluateContext) -> bool:
    """Return whether a marker holds for at least one of the places.

    A marker about a kernel release is taken to hold, since no lock says what it will be.

    Raises:
        UndefinedComparison, UndefinedEnvironmentName, TypeError: It cannot be evaluated.
    """
    if any(name in str(marker) for name in _UNTOLD):
        return True
    return any(marker.evaluate(place, context=context) for place in among)


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
