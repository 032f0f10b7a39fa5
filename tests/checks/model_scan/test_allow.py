"""The lists: exact, harmless by review, and stable under Python's renaming of old modules."""

from __future__ import annotations

import _compat_pickle
import hashlib
import importlib
import inspect

import pytest

from tests.attacks.model_pickles import gadgets
from weighbridge.checks.model_scan.allow import ONNX, allowed_globals, list_files, load_lists
from weighbridge.checks.model_scan.pickle.rules.table import RULES
from weighbridge.checks.model_scan.pickle.values import Kept


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


def test_a_list_that_names_an_unknown_rule_is_not_read() -> None:
    """Each rule of the lists is one of the table: nothing stands for "anything goes"."""
    assert {id(rule) for rule in load_lists().rules.values()} <= {id(rule) for rule in RULES.values()}
    used = {id(rule) for rule in load_lists().rules.values()}
    assert [name for name, rule in RULES.items() if id(rule) not in used] == []


def test_digests_are_those_of_the_files() -> None:
    digests = load_lists().digests
    for path in list_files():
        assert digests[path.stem] == hashlib.sha256(path.read_bytes()).hexdigest()
    assert ONNX in digests


@pytest.mark.filterwarnings("ignore")
def test_only_pure_functions_and_types_of_numbers_may_be_kept() -> None:
    """What lies around as data can be called by a library: nothing of it opens, imports or allocates by a number."""
    for (module, name), rule in load_lists().rules.items():
        if module.startswith(("torch", "pandas", "xgboost", "lightgbm", "__builtin__", "copy_reg", "numpy.core")):
            continue
        try:
            value = getattr(importlib.import_module(module), name)
        except (ImportError, AttributeError):
            continue  # a name of another version
        if rule.kept is Kept.FUNCTION:
            assert not isinstance(value, type), (module, name)
        if rule.kept is Kept.TYPE:
            assert isinstance(value, type), (module, name)
            assert module in ("builtins", "collections", "numpy"), (module, name)


@pytest.mark.filterwarnings("ignore")
def test_methods_of_installed_classes_are_no_attributes() -> None:
    """The lists are read from sources; here they are held to the classes as they are."""
    lists = load_lists()
    looked = 0
    for (module, name), rule in lists.rules.items():
        if rule not in (RULES["class"], RULES["dict-class"]) or not module.startswith(("sklearn", "scipy")):
            continue
        try:
            kind = getattr(importlib.import_module(module), name)
        except (ImportError, AttributeError):
            continue
        names = lists.attributes.of(f"{module}.{name}")
        methods = {one for one in dir(kind) if inspect.isfunction(inspect.getattr_static(kind, one))}
        assert not names.attributes & methods, (module, name, names.attributes & methods)
        looked += 1
    assert looked > 200
