"""What Python runs by itself when it starts in an environment, before the program that was asked for.

Source: the documentation of the ``site`` module: a line of a ``.pth`` file that begins with ``import`` is executed,
``sitecustomize`` and ``usercustomize`` are imported; Python 3.15 adds ``.start`` files (PEP 829). This is how litellm
1.82.8 stole credentials (``litellm_init.pth``): its RECORD was intact, so only looking at the file finds it.
"""

from __future__ import annotations

import hashlib
import re
from collections.abc import Iterator, Sequence, Set
from typing import Final

from weighbridge.checks.dependencies.inventory import Inventory
from weighbridge.checks.dependencies.reasons import not_judged
from weighbridge.checks.dependencies.sources.environment_listing import name_in
from weighbridge.checks.dependencies.sources.environment_tree import EnvironmentTree
from weighbridge.checks.dependencies.text import plain
from weighbridge.evidence.record import Finding, Severity, Undecided

MAX_PTH: Final = 1024 * 1024
"""Largest ``.pth`` file that is read; real ones have a few hundred bytes."""

KNOWN_FILES: Final[dict[str, str]] = {
    "2638ce9e2500e572a5e0de7faed6661eb569d1b696fcba07b0dd223da5f5d224": (
        "distutils-precedence.pth of setuptools: puts setuptools' own distutils before the standard library's"
    ),
    "7ea7ffef3fe2a117ee12c68ed6553617f0d7fd2f0590257c25c484959a3b7373": (
        "distutils-precedence.pth of setuptools before 60: the same, when SETUPTOOLS_USE_DISTUTILS asks for it"
    ),
    "320272733976834259547e559d769d87e2c1c7ead17c90446376800e79f2aeb4": (
        "a1_coverage.pth of coverage 7.13: measures a process when COVERAGE_PROCESS_START or _CONFIG is set"
    ),
    "ef2ed06d19867ec669c09a804060666a9cd5e383af0a9d11aa2de79b77d448e8": (
        "a1_coverage.pth of coverage 7.17: measures a process when COVERAGE_PROCESS_START or _CONFIG is set"
    ),
}
"""Start-up files that are known to be harmless, by the sha256 of their content, with what they do."""

KNOWN_LINES: Final[dict[str, str]] = {
    "import _virtualenv": "virtualenv: corrects where distutils installs to",
}
"""Lines that only import a module which the same installer wrote; that module is looked at beside them."""

KNOWN_MODULES: Final[dict[str, frozenset[str]]] = {
    "_virtualenv": frozenset(
        {
            "684b8c07932ba4a84ac2e5ae9afe49ef04e92bac3d8d4191d455cf09d093e5fc",  # 20.0 to 20.13
            "c9199315871b11b12df226f890a38e66e63191e1adbfb11a66e6861151b33fca",  # 20.21
            "0aeb86546345c1d0fada097536e35525714d5cdbcc2d8eb3f9912a955044fcff",  # 20.24
            "0f20351ea7e90039c46d3fabdef991f28b1e3ff33eb13ee6f0d5cd21ea0e8b14",  # 20.26 to 20.31
            "bec6155ff7bfc88f8e79e481f27fd7ee0a3b40eeca9bfeb41f4c4b997b2f8100",  # 20.36
            "cfe56cafbd68fd31a0e87100f111d7d2f6b7157241096500013c07e88d80a22f",  # 21.15
        }
    )
}
"""Content of the modules that ``KNOWN_LINES`` import, by sha256."""

KNOWN_SHAPES: Final[dict[str, str]] = {
    "ee4a34f1d9f1effa8364263a34e763b0234c930095103d0473a61a7f727d75be": "namespace_packages of setuptools: at the top",
    "a374499074bc50d37ea25eb9176b75b79588a60125378c85748b82ac90cffc40": "namespace_packages of setuptools: in another",
}
"""Lines that setuptools generates for a namespace package, by the sha256 of the line without the name."""

_NAMESPACE: Final = re.compile(r"sys\.modules\.setdefault\('([A-Za-z_][A-Za-z0-9_]*(?:\.[A-Za-z_][A-Za-z0-9_]*)*)'")
_FINDER: Final = re.compile(r"import (__editable___\w+_finder); \1\.install\(\)", re.ASCII)
_HOOKS: Final = ("sitecustomize", "usercustomize")
_SUFFIXES: Final = (".py", ".pyc", ".so", ".pyd")


def startup_findings(
    tree: EnvironmentTree, names: Sequence[str], *, site: str, label: str, explained: Set[str]
) -> Inventory:
    """Report every file at the top of a site that runs code at start and is not known.

    A ``.pth`` file that only adds directories runs nothing, but what lies in these directories is importable and was
    not judged, so it is undecided; ``explained`` names the files of editable installs, which are undecided already,
    as is the line with which setuptools makes such an install find its sources.
    """
    findings: list[Finding] = []
    undecided: list[Undecided] = []
    for name in names:
        location = f"{label}/{plain(name, limit=300)}"
        if name.endswith((".pth", ".start")):
            try:
                data = tree.read(name_in(site, name), limit=MAX_PTH)
            except OSError as error:
                reason = f"the start-up file cannot be read: {error.strerror}"
                undecided.append(not_judged("startup-not-followed", reason, location=location))
                continue
            findings.extend(_code(tree, site, name, data, location, explained))
            if name not in explained:
                undecided.extend(_directories(name, data, location))
        elif _is_hook(tree, site, name):
            findings.append(_finding(location, f"{name.partition('.')[0]} is imported at every start of Python"))
    return Inventory(inputs=(), findings=tuple(findings), undecided=tuple(undecided))


def _code(
    tree: EnvironmentTree, site: str, name: str, data: bytes, location: str, explained: Set[str]
) -> Iterator[Finding]:
    if hashlib.sha256(data).hexdigest() in KNOWN_FILES:
        return
    if len(data) > MAX_PTH:
        yield _finding(location, f"it has more than {MAX_PTH} bytes")
        return
    for number, line in enumerate(_lines(data), start=1):
        executed = line.startswith(("import ", "import\t"))
        if executed or (name.endswith(".start") and line.strip() and not line.startswith("#")):
            if _known_line(tree, site, line) or (name in explained and _FINDER.fullmatch(line.strip())):
                continue
            shown = plain(line, limit=160)
            yield _finding(f"{location}:{number}", f"Python executes this line at every start: {shown}")
            return


def shape_of(line: str) -> str:
    """Return the sha256 of a line that makes a namespace package, with the package's name taken out."""
    found = _NAMESPACE.search(line)
    if found is None:
        return ""
    name = found[1]
    parent, _, child = name.rpartition(".")
    shape = line.replace(repr(tuple(name.split("."))), "<path>").replace(repr(name), "<name>")
    if parent:
        shape = shape.replace(f"[{parent!r}], {child!r}", "<parent and child>")
    return hashlib.sha256(shape.encode("utf-8", "replace")).hexdigest()


def known_modules(tree: EnvironmentTree, *, site: str) -> frozenset[str]:
    """Return the files at the top of a site that no package brings and whose content is known, by ``KNOWN_MODULES``."""
    return frozenset(
        f"{module}.py" for module in KNOWN_MODULES if _sum(tree, name_in(site, f"{module}.py")) in KNOWN_MODULES[module]
    )


def _sum(tree: EnvironmentTree, name: str) -> str:
    try:
        return tree.hash(name).hex()
    except OSError:
        return ""


def _known_line(tree: EnvironmentTree, site: str, line: str) -> bool:
    if shape_of(line.strip()) in KNOWN_SHAPES:
        return True
    if line.strip() not in KNOWN_LINES:
        return False
    return f"{line.split()[1]}.py" in known_modules(tree, site=site)


def _directories(name: str, data: bytes, location: str) -> Iterator[Undecided]:
    if not name.endswith(".pth"):
        return
    for number, line in enumerate(_lines(data), start=1):
        if line.strip() and not line.startswith(("#", "import ", "import\t")):
            reason = "it makes another directory importable, and what lies there was not judged"
            yield not_judged("startup-not-followed", reason, location=f"{location}:{number}")
            return


def _lines(data: bytes) -> list[str]:
    # As site.py: UTF-8, with or without a byte order mark; what is not UTF-8 is read in the locale's encoding, where
    # ASCII is the same.
    return data.decode("utf-8-sig", "replace").splitlines()


def _is_hook(tree: EnvironmentTree, site: str, name: str) -> bool:
    stem, _, rest = name.partition(".")
    if stem not in _HOOKS:
        return False
    return tree.listing.is_directory(name_in(site, name)) if not rest else f".{rest}".endswith(_SUFFIXES)


def _finding(location: str, what: str) -> Finding:
    return Finding(
        rule="startup-code",
        severity=Severity.HIGH,
        message=f"Code runs before the program does: {what}.",
        location=location,
        remedy="Remove the file, or the package that brought it, unless you know what it does and need it.",
    )
