"""Why an audit does not judge something."""

from __future__ import annotations

from typing import Final

from weighbridge.checks.rule import Reason
from weighbridge.evidence.record import Undecided

REASONS: Final = (
    Reason(
        id="advisories-unusable",
        title="the advisories cannot be read",
        meaning="Without them nothing is known to be vulnerable, which is not the same as that nothing is.",
        remedy="build the bundle again with `weighbridge advisories build`, or use the one that comes with weighbridge",
    ),
    Reason(
        id="nothing-audited",
        title="no package was judged",
        meaning="An input that names no package could be the wrong file, or one from which everything was taken out.",
        remedy="name the lock, requirements or environment that the model is served with",
    ),
    Reason(
        id="input-not-read",
        title="an input of the audit cannot be read",
        meaning="It is damaged, of a form that the audit does not know, or names what is not there.",
        remedy="give uv.lock, poetry.lock, pylock.toml, pinned requirements, or the environment itself",
    ),
    Reason(
        id="audit-cut-short",
        title="there is more than one report lists",
        meaning="The worst are kept. That some are missing is itself undecided, so that no cut helps a model pass.",
        remedy="update the packages with the most findings first, and audit again",
    ),
    Reason(
        id="not-pinned",
        title="which version is installed, and from which bytes, is not known",
        meaning=(
            "A requirement without an exact version, from an address or a path, or without a hash where others have "
            "one, can be another package tomorrow. Advisories are about versions."
        ),
        remedy="lock it: `uv lock`, or `pip-compile --generate-hashes`, and audit the lock",
    ),
    Reason(
        id="version-not-ordered",
        title="a version or a range that PEP 440 does not order",
        meaning="Advisories name ranges of versions; what has no place in that order may be in any of them or in none.",
        remedy="read the advisory itself, or use a release whose version PEP 440 orders",
    ),
    Reason(
        id="startup-not-followed",
        title="what runs or is importable at every start of Python was not judged",
        meaning="A `.pth` file adds a directory, or cannot be read, so more code is there than was looked at.",
        remedy="remove the file if nothing needs it, or audit the directory that it names",
    ),
    Reason(
        id="code-of-nobody",
        title="code in the environment belongs to no installed package",
        meaning="No RECORD has its hash, so whose it is and of which version is not known (PEP 376, PEP 627).",
        remedy="install it from a wheel, or remove it",
    ),
    Reason(
        id="environment-not-followed",
        title="a part of the environment was not looked at",
        meaning=(
            "It leads out of what was handed in, borrows packages of another Python, or cannot be read, so what is "
            "imported from there was not judged."
        ),
        remedy="make a virtual environment of its own with what is served, and audit that",
    ),
)
"""The reasons of the dependency audit."""

_STEPS: Final = {reason.id: reason.remedy for reason in REASONS}


def not_judged(code: str, reason: str, *, location: str, remedy: str = "") -> Undecided:
    """Return a place that was not judged; without a remedy it has that of its reason."""
    return Undecided(location=location, reason=reason, code=code, remedy=remedy or _STEPS[code])
