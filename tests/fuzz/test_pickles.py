"""The short form of ``make fuzz-pickles`` with this environment's libraries, and proof that it would find something.

Seeds are fixed: a run that fails here fails again.
"""

from __future__ import annotations

import pickle
import random
import sys
from collections.abc import Iterator
from pathlib import Path

import pytest

from tests.attacks.model_fuzzed import FUZZED
from tests.fuzz.pickles import campaign
from tests.fuzz.pickles.session import Item, Session
from tests.fuzz.pickles.tree import copy, read, walk, write
from weighbridge.checks.model_scan.allow import allowed_globals

pytestmark = [pytest.mark.xdist_group("pickles"), pytest.mark.timeout(900)]

KNOWN = {name: data for name, data, _ in FUZZED}
LISTED = allowed_globals() | {("builtins", name) for name in ("open", "exec", "__import__", "print")}
HARMFUL = {
    "open": b"cbuiltins\nopen\n(Vplanted\nVw\ntR.",
    "compile": b"cbuiltins\nexec\n(Va = 1\ntR.",
    "import": b"cbuiltins\n__import__\n(Vantigravity\ntR.",
    "name": b"cos\ngetcwd\n(tR.",
    "subprocess.Popen": b"csubprocess\nPopen\n((lVtrue\natR.",
    "os.remove": b"cos\nunlink\n(Vplanted\ntR.",
    "socket.__new__": b"csocket\nsocket\n(tR.",
    "memory": b"cbuiltins\nbytearray\n(J\xff\xff\xff\x7ftR.",
    "time": KNOWN["fraction-of-a-large-exponent"],
    "shadow": KNOWN["planted-method-of-the-class"],
    "dtype": KNOWN["dtype-flags-hide-objects"],
}
OTHER_NAMES = {("ctypes", "string_at"), ("os", "unlink"), ("subprocess", "Popen"), ("socket", "socket")}


@pytest.fixture(scope="module")
def session() -> Iterator[Session]:
    with Session(Path(sys.executable), listed=LISTED | OTHER_NAMES, few=True) as found:
        yield found


@pytest.mark.parametrize("kind", sorted(HARMFUL))
def test_what_a_pickle_does_is_seen(session: Session, kind: str) -> None:
    result = session.load([Item("pickle", HARMFUL[kind])])
    assert kind in {defect.kind for defect in result.defects}
    assert all(defect.alone for defect in result.defects)


def test_a_crash_names_the_pickle_and_the_others_are_loaded(session: Session) -> None:
    objects = pickle.dumps({"a": 1})
    killed = b"cctypes\nstring_at\n(I1\ntR."
    result = session.load([Item("pickle", objects), Item("pickle", killed), Item("pickle", objects)])
    assert result.loaded == 2
    assert {(defect.item.data, defect.kind) for defect in result.defects} >= {(killed, "crash-SIGSEGV")}


def test_honest_objects_are_quiet(session: Session) -> None:
    items = [Item("pickle", data) for data in session.environment.seeds if campaign.is_clean(Item("pickle", data))]
    result = session.load(items)
    assert len(items) > 150
    assert result.loaded == len(items)
    assert [(defect.kind, defect.detail) for defect in result.defects] == []


def test_a_tree_says_what_its_pickle_said(session: Session) -> None:
    for data in session.environment.seeds[:60]:
        tree = read(data)
        for protocol in (0, 2, 4, 5):
            again = read(write(copy(tree), random.Random(1), protocol=protocol, tricks=0.1))
            assert len(walk(again)) > 0
            assert write(again, random.Random(0), protocol=4) == write(tree, random.Random(0), protocol=4)


def test_without_the_scan_it_finds_the_kinds_that_are_known(session: Session) -> None:
    kinds = frozenset({"memory", "dtype"})
    tally = campaign.run(session, listed=allowed_globals(), seed=1, cases=6000, judge=lambda item: True, enough=kinds)
    assert kinds <= set(tally.defects)


def test_what_is_called_clean_does_nothing(session: Session) -> None:
    tally = campaign.run(session, listed=allowed_globals(), seed=25, cases=3000)
    assert tally.clean >= 0.3 * tally.generated
    assert tally.loaded >= 0.6 * tally.clean
    found = {kind: (defect.detail, defect.item) for kind, (defect, _) in tally.examples.items()}
    assert found == {}
