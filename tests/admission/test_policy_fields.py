from __future__ import annotations

import pytest

from tests.admission.builders import APP, policy, policy_text, workload
from weighbridge.errors import ParseError, PolicyError
from weighbridge.policy import Policy

ENTRY = f'{{namespaces: [team], purpose: training, images: ["{APP}"], owner: us, expires: 2026-12-31}}'


def test_a_policy_without_these_fields_is_for_no_namespace() -> None:
    found = policy(more="")
    assert (found.namespaces, found.default, found.workloads) == (frozenset(), False, ())


def test_reads_namespaces_and_workloads_with_their_line() -> None:
    more = f"  namespaces: [team, other]\n  workloads:\n    - {ENTRY}\n"
    found = policy(more=more)
    assert found.namespaces == {"team", "other"}
    (entry,) = found.workloads
    assert entry.images == {"d" * 64}
    assert entry.line == len(policy_text(more=more).splitlines())
    assert entry.expires.isoformat() == "2026-12-31T23:59:59+00:00"


def test_an_image_may_be_named_by_its_digest_alone() -> None:
    assert policy(more=workload(image=f"sha256:{'d' * 64}")).workloads[0].images == {"d" * 64}


def test_refuses_a_workload_where_the_policy_does_not_hold() -> None:
    with pytest.raises(PolicyError, match=r"production.yaml:\d+: the workload names the namespace team, which this"):
        policy(more=f"  namespaces: [other]\n  workloads:\n    - {ENTRY}\n")


@pytest.mark.parametrize(
    ("old", "new"),
    [
        ("namespaces: [team]", "namespaces: []"),
        ("namespaces: [team]", "namespaces: [Team]"),
        ("namespaces: [team]", 'namespaces: ["team\\n"]'),
        ("namespaces: [team]", "namespaces: ['*']"),
        ("purpose: training", "purpose: anything"),
        ("purpose: training, ", ""),
        ("owner: us, ", ""),
        ("owner: us", "owner: ''"),
        (f'images: ["{APP}"]', "images: []"),
        (f'images: ["{APP}"]', "images: [app]"),
        (f'images: ["{APP}"]', 'images: ["app:v1"]'),
        (f'images: ["{APP}"]', f'images: ["{APP}\\n"]'),
        (f'images: ["{APP}"]', f'images: ["{APP.upper()}"]'),
        (", expires: 2026-12-31", ""),
        ("expires: 2026-12-31", "expires: never"),
        ("owner: us", "owner: us, more: 1"),
    ],
)
def test_refuses_a_workload_that_says_too_little(old: str, new: str) -> None:
    assert old in ENTRY
    with pytest.raises(ParseError, match=r"production.yaml:\d+"):
        policy(more=f"  default: true\n  workloads:\n    - {ENTRY.replace(old, new)}\n")


@pytest.mark.parametrize(
    "more", ["  namespaces: team\n", "  namespaces: ['']\n", "  default: yes\n", '  default: "true"\n']
)
def test_refuses_namespaces_and_default_that_are_something_else(more: str) -> None:
    with pytest.raises(ParseError):
        policy(more=more)


def test_a_change_of_them_judges_no_model_anew() -> None:
    # They say what becomes of pods; what is asked of a model is the same.
    assert Policy.parse(policy_text().encode(), name="p").digest == policy(more="").digest
