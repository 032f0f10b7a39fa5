from __future__ import annotations

import pytest

from tests.admission.builders import Cluster, Manifest
from tests.admission.ways import NO_WAYS, WAYS, harmless
from weighbridge.admission.accelerators import find_ways, load_rules
from weighbridge.admission.decision import Outcome
from weighbridge.admission.pods import Pod

RULES = load_rules()


@pytest.mark.parametrize(("way", "manifest"), WAYS.values(), ids=list(WAYS))
def test_finds_every_way_to_an_accelerator_and_says_where(way: str, manifest: Manifest) -> None:
    found = find_ways(Pod.parse(manifest), rules=RULES)
    assert {match.way.value for match in found} == {way}
    assert all(match.why and match.path.startswith(("spec.", "metadata.annotations[")) for match in found)


@pytest.mark.parametrize("manifest", NO_WAYS.values(), ids=list(NO_WAYS))
def test_leaves_every_other_pod_alone(manifest: Manifest, cluster: Cluster) -> None:
    decision = cluster.decide(manifest)
    assert decision.ways == ()
    assert decision.outcome is Outcome.NOT_HELD


@pytest.mark.parametrize("manifest", [manifest for _, manifest in WAYS.values()], ids=list(WAYS))
def test_holds_a_pod_that_can_reach_an_accelerator_and_has_no_model(manifest: Manifest, cluster: Cluster) -> None:
    decision = cluster.decide(manifest)
    assert decision.outcome is Outcome.HOLD
    assert decision.reasons


def test_a_way_names_the_part_of_the_pod() -> None:
    manifest = harmless(initContainers=[{"name": "i", "resources": {"requests": {"amd.com/gpu": 1}}}])
    (match,) = find_ways(Pod.parse(manifest), rules=RULES)
    assert match.path == "spec.initContainers[0].resources.requests['amd.com/gpu']"
    assert "amd.com/gpu" in match.why


def test_every_entry_of_the_rules_says_why() -> None:
    rules = load_rules()
    entries = [
        *rules.resources.allowed,
        *rules.resources.allowed_prefixes,
        *rules.schedulers.allowed,
        *rules.annotations,
        *rules.environment.suffixes,
        *rules.environment.names,
        *rules.mount_paths,
        *rules.capabilities,
        *rules.host_paths,
    ]
    assert entries
    assert not [entry.name for entry in entries if not entry.why or not entry.name]
