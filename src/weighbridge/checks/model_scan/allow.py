"""The allow lists: every global that a clean pickle may name, exactly, by framework.

The lists are data (``allow_lists/*.json``), made from what the libraries themselves write and reviewed by hand. Each
global has a rule that says how it may be used; ``pickle/calls.py`` has the rules. There is no wildcard: a module
such as ``sklearn.utils._testing`` would be a gadget.
"""

from __future__ import annotations

import functools
import hashlib
from dataclasses import dataclass
from importlib import resources
from pathlib import Path
from typing import Final

from weighbridge import _json
from weighbridge._struct import Wire
from weighbridge.checks.model_scan.pickle.attributes import Attributes, ClassEntry
from weighbridge.checks.model_scan.pickle.context import Rules
from weighbridge.checks.model_scan.pickle.rules.rule import Rule
from weighbridge.checks.model_scan.pickle.rules.table import RULES
from weighbridge.checks.model_scan.report import FileReport
from weighbridge.errors import ParseError

PACKAGE: Final = "weighbridge.checks.model_scan.allow_lists"
"""Where the lists lie."""

NAMES: Final = (
    "dill", "joblib", "lightgbm", "numpy", "pandas", "python", "scipy", "sklearn", "torch", "transformers", "xgboost",
)  # fmt: skip
"""The lists of globals that exist."""

ATTRIBUTES: Final = ("hand", "lightgbm", "pandas", "scipy", "sklearn", "torch", "xgboost")
"""The lists of classes' attributes that exist."""

ONNX: Final = "onnx-operators"
"""The list of ONNX operators."""


class AllowList(Wire):
    """One list: its version, what it was checked against, and a rule for every name by module."""

    name: str
    version: str
    verified: str
    globals: dict[str, dict[str, str]]


class AttributeList(Wire):
    """The attributes and methods of a library's classes, by full name, as its sources have them."""

    name: str
    version: str
    verified: str
    classes: dict[str, ClassEntry]


class OperatorList(Wire):
    """The ONNX operators that a runtime implements itself, by domain."""

    name: str
    version: str
    verified: str
    operators: dict[str, tuple[str, ...]]


@dataclass(frozen=True, slots=True)
class Lists:
    """All lists, and the digest of each."""

    rules: Rules
    attributes: Attributes
    operators: dict[str, frozenset[str]]
    digests: dict[str, str]


@functools.cache
def load_lists() -> Lists:
    """Read the lists that come with this version; the result is kept, since the files cannot change.

    Raises:
        ParseError: A list is damaged, or names a rule that does not exist.
    """
    rules: dict[tuple[str, str], Rule] = {}
    classes: dict[str, ClassEntry] = {}
    digests: dict[str, str] = {}
    folder = resources.files(PACKAGE)
    for name in NAMES:
        data = (folder / f"{name}.json").read_bytes()
        digests[name] = hashlib.sha256(data).hexdigest()
        found = _json.parse(data, AllowList, what=f"the allow list {name}")
        for module, names in found.globals.items():
            for global_name, rule in names.items():
                if rule not in RULES or "." in global_name:
                    raise ParseError(f"the allow list {name} has no known rule for {module}.{global_name}")
                rules[module, global_name] = RULES[rule]
    for name in ATTRIBUTES:
        data = (folder / "attributes" / f"{name}.json").read_bytes()
        digests[f"{name}-attributes"] = hashlib.sha256(data).hexdigest()
        found_classes = _json.parse(data, AttributeList, what=f"the list of {name}'s attributes").classes
        for path, entry in found_classes.items():
            classes[path] = entry.joined(classes.get(path, ClassEntry()))
    data = (folder / f"{ONNX}.json").read_bytes()
    digests[ONNX] = hashlib.sha256(data).hexdigest()
    operators = _json.parse(data, OperatorList, what="the list of ONNX operators").operators
    return Lists(rules, Attributes(classes), {domain: frozenset(names) for domain, names in operators.items()}, digests)


def allowed_globals() -> frozenset[tuple[str, str]]:
    """Return every listed global as module and name, for an unpickler that resolves nothing else."""
    return frozenset(load_lists().rules)


def scan_pickle_bytes(data: bytes, *, name: str) -> FileReport:
    """Scan a pickle in memory; ``name`` is used in locations only."""
    from weighbridge.checks.model_scan.pickle_scan import scan_pickle
    from weighbridge.checks.model_scan.scan import Scan
    from weighbridge.checks.model_scan.source import Memory

    scan = Scan.start()
    scan.guard(scan_pickle, Memory(data), name)
    return scan.notes.close(path=name, size=len(data), kind="pickle", sha256=hashlib.sha256(data).hexdigest())


def list_files() -> tuple[Path, ...]:
    """Return where the lists lie on this machine, for tests and documentation."""
    folder = Path(str(resources.files(PACKAGE)))
    return tuple(folder / f"{name}.json" for name in (*NAMES, ONNX))
