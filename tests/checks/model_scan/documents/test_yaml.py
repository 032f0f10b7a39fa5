"""YAML has no tags, and its values are judged as those of JSON."""

from __future__ import annotations

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from tests.checks.model_scan.documents.honest import YAML
from tests.checks.model_scan.documents.test_json import report
from weighbridge.checks.model_scan.documents.yaml_file import MAX_YAML


@pytest.mark.parametrize("name", sorted(YAML))
def test_honest_yaml_is_clean(name: str) -> None:
    found = report(YAML[name].encode(), name=name)
    assert (found.findings, found.undecided) == ((), ())
    assert found.coverage.format == "yaml"


@pytest.mark.parametrize(
    ("text", "reason"),
    [
        ("a: [1\n", "not YAML"),
        ("a: *b\n", "names nothing"),
        ('a: "\\UFFFFFFFF"\n', "not YAML"),
        ("[" * 300, "nests deeper"),
        ("#" * (MAX_YAML + 1), "more than"),
        (
            "a0: &a0 [x,x,x,x,x,x,x,x,x,x]\n"
            + "".join(f"a{n}: &a{n} [{','.join([f'*a{n - 1}'] * 10)}]\n" for n in range(1, 9)),
            "aliases",
        ),
    ],
    ids=["cut", "alias", "escape", "deep", "large", "laughs"],
)
def test_what_cannot_be_read_is_undecided(text: str, reason: str) -> None:
    found = report(text.encode(), name="a.yaml")
    assert not found.findings
    assert [reason in one.reason for one in found.undecided] == [True]


def test_an_alias_to_itself_comes_to_an_end() -> None:
    assert report(b"a: &a [*a, x]\n", name="a.yaml").coverage.state == "clean"


@given(st.text(alphabet="ab:-!&*<>|{}[],\n '\"#%?@`~1.", max_size=60))
@settings(max_examples=300, deadline=None)
def test_no_text_crashes(text: str) -> None:
    assert report(text.encode() or b"a", name="a.yaml").coverage.state in ("clean", "undecided", "refused")
