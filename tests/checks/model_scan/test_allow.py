"""The lists: exact, harmless by review, and stable under Python's renaming of old modules."""

from __future__ import annotations

import _compat_pickle
import hashlib
import importlib

import pytest

from tests.attacks.model_pickles import gadgets
from weighbridge.checks.model_scan.allow import ONNX, allowed_globals, list_files, load_lists
from weighbridge.checks.model_scan.pickle.calls import RULES
from weighbridge.checks.model_scan.pickle.values import FUNCTION_FREE


def test_no_gadget_is_listed() -> None:
    assert not allowed_globals() & set(gadgets())


def test_names_are_exact() -> None:
    for module, name in allowed_globals():
        assert "*" not in module + name
        assert "." not in name
        assert name.isidentifier()


def test_old_names_map_to_listed_names_only() -> None:
    listed = allowed_globals()
    for module, name in listed:
        mapped = _compat_pickle.NAME_MAPPING.get((module, name))
        if mapped is None:
            mapped = (_compat_pickle.IMPORT_MAPPING.get(module, module), name)
        assert mapped in listed or name in {"unicode", "long"}, (module, name, mapped)


def test_every_rule_exists() -> None:
    assert set(load_lists().rules.values()) <= RULES


def test_digests_are_those_of_the_files() -> None:
    digests = load_lists().digests
    for path in list_files():
        assert digests[path.stem] == hashlib.sha256(path.read_bytes()).hexdigest()
    assert ONNX in digests


@pytest.mark.filterwarnings("ignore")
def test_functions_are_listed_with_a_rule_about_their_arguments() -> None:
    for (module, name), rule in load_lists().rules.items():
        if module.startswith(("torch", "pandas", "xgboost", "lightgbm", "__builtin__", "copy_reg", "numpy.core")):
            continue
        try:
            value = getattr(importlib.import_module(module), name)
        except (ImportError, AttributeError):
            continue  # a name of another version
        if not isinstance(value, type):
            assert rule not in ("class", "constructor"), (module, name)
        elif rule not in FUNCTION_FREE:
            assert name in {"dtype", "bytes", "bytearray", "defaultdict", "partial"}, (module, name)
