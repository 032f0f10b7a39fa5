from __future__ import annotations

import json
from pathlib import Path
from typing import Any

import jsonschema
import pytest
import yaml

from tests.admission.builders import APP, GPU, OTHER, container, pod, volume
from tests.builders import Scene
from tests.cli.conftest import Shell, judged, shell  # noqa: F401 - fixtures
from weighbridge.admission.objects import ModelVerdict
from weighbridge.admission.verdicts import read_verdict

VERDICT = "model.verdict.sigstore.json"
CHECK = ("check", "pod.yaml", "--policy", "policy.yaml", "--trust", "trust.yaml")
SCHEMAS = Path(__file__).parents[2] / "docs" / "schemas"


@pytest.fixture
def manifest(judged: Scene, shell: Shell) -> str:  # noqa: F811
    """Judge the model for real, make the policy the default one, and return the manifest digest of its image."""
    policy = shell.directory / "policy.yaml"
    policy.write_text(policy.read_text() + "  default: true\n")
    gate = shell.run("gate", "model", "--policy", "policy.yaml", "--trust", "trust.yaml", "--key", "keys/verifier.key")
    assert gate.code == 0, gate.out
    stored = read_verdict("v", (shell.directory / VERDICT).read_bytes())
    assert stored.manifest is not None
    write(shell, pod(volumes=[volume(stored.manifest)]))
    return stored.manifest


def write(shell: Shell, *documents: Any, name: str = "pod.yaml") -> None:  # noqa: F811
    (shell.directory / name).write_text(yaml.safe_dump_all(documents))


def edit_policy(shell: Shell, old: str, new: str) -> None:  # noqa: F811
    path = shell.directory / "policy.yaml"
    assert old in path.read_text()
    path.write_text(path.read_text().replace(old, new))


def deployment(manifest: str, *, namespace: str = "team") -> dict[str, Any]:
    return {
        "apiVersion": "apps/v1",
        "kind": "Deployment",
        "metadata": {"name": "serve", "namespace": namespace},
        "spec": {"template": {"spec": pod(volumes=[volume(manifest)])["spec"]}},
    }


def test_admits_what_the_gate_passed(manifest: str, shell: Shell) -> None:  # noqa: F811
    done = shell.run(*CHECK, "--verdict", VERDICT)
    assert (done.code, done.err) == (0, "")
    assert "admitted: Pod p in team (pod.yaml:1)" in done.out
    assert f"verified: registry.example/model@sha256:{manifest}" in done.out
    assert done.out.endswith("1 pod, 0 held, 0 files undecided\n")


def test_admits_by_the_object_that_a_cluster_would_have(manifest: str, shell: Shell) -> None:  # noqa: F811
    value = ModelVerdict.of((shell.directory / VERDICT).read_bytes())
    (shell.directory / "verdict.yaml").write_bytes(value.encode())
    assert shell.run(*CHECK, "--model-verdict", "verdict.yaml").code == 0


def test_holds_without_the_verdict_and_says_what_to_do(manifest: str, shell: Shell) -> None:  # noqa: F811
    done = shell.run(*CHECK)
    assert done.code == 1
    assert "held: Pod p in team" in done.out
    assert f"none is about sha256:{manifest}" in done.out
    assert "next step: have the model judged" in done.out


@pytest.mark.usefixtures("manifest")
def test_holds_another_model(shell: Shell) -> None:  # noqa: F811
    write(shell, pod(volumes=[volume(OTHER)]))
    assert shell.run(*CHECK, "--verdict", VERDICT).code == 1


def test_leaves_other_pods_alone_and_decides_every_document(manifest: str, shell: Shell) -> None:  # noqa: F811
    write(shell, pod(containers=[container()]), {"kind": "Service"}, deployment(manifest), deployment(OTHER))
    done = shell.run(*CHECK, "--verdict", VERDICT)
    assert done.code == 1
    assert "not held: Pod p in team" in done.out
    assert "admitted: Deployment serve in team" in done.out
    assert "held: Deployment serve in team" in done.out
    assert "3 pods, 1 held" in done.out


@pytest.mark.usefixtures("manifest")
@pytest.mark.parametrize(("mode", "words"), [("audit", "the policy only audits"), ("warn", "the policy only warns")])
def test_says_what_enforcing_would_do_whatever_the_mode(shell: Shell, mode: str, words: str) -> None:  # noqa: F811
    edit_policy(shell, "  default: true\n", f"  default: true\n  mode: {mode}\n")
    done = shell.run(*CHECK)
    assert done.code == 1
    assert f"would be held ({words})" in done.out


def test_decides_for_the_namespace_that_is_asked_for(manifest: str, shell: Shell) -> None:  # noqa: F811
    edit_policy(shell, "  default: true\n", "  namespaces: [team]\n")
    assert shell.run(*CHECK, "--verdict", VERDICT).code == 0
    done = shell.run(*CHECK, "--verdict", VERDICT, "--namespace", "other")
    assert done.code == 1
    assert "no policy names the namespace other" in done.out


def test_shows_the_workload_that_a_pod_is_allowed_as(manifest: str, shell: Shell) -> None:  # noqa: F811
    entry = f'{{namespaces: [team], purpose: training, images: ["{APP}"], owner: us, expires: 2999-12-31}}'
    edit_policy(shell, "  default: true\n", f"  default: true\n  workloads:\n    - {entry}\n")
    write(shell, pod(volumes=[]))
    done = shell.run(*CHECK)
    assert done.code == 0
    assert "allowed as training workload of us until 2999-12-31" in done.out


@pytest.mark.parametrize(
    ("text", "expected"),
    [
        ("", "is empty"),
        ("a: 1\n", "no object of Kubernetes"),
        ("kind: Pod\napiVersion: v1\n", "the pod is not acceptable"),
        ("a: &b 1\n", "anchors"),
        ("a: [\n", "not YAML"),
    ],
)
@pytest.mark.usefixtures("manifest")
def test_cannot_decide_about_what_it_cannot_read(shell: Shell, text: str, expected: str) -> None:  # noqa: F811
    (shell.directory / "bad.yaml").write_text(text)
    done = shell.run("check", "bad.yaml", *CHECK[1:], "--verdict", VERDICT)
    assert done.code == 2
    assert expected in done.out
    assert "admitted: Pod p" in done.out
    assert "1 file undecided" in done.out


@pytest.mark.usefixtures("manifest")
def test_a_held_pod_counts_for_more_than_an_unreadable_file(shell: Shell) -> None:  # noqa: F811
    (shell.directory / "bad.yaml").write_text("")
    assert shell.run("check", "bad.yaml", *CHECK[1:]).code == 1


@pytest.mark.parametrize(
    ("arguments", "code"),
    [
        (("check",), 64),
        (("check", "pod.yaml"), 64),
        (("check", "missing.yaml", *CHECK[2:]), 2),
        ((*CHECK, "--verdict", "pod.yaml"), 2),
        ((*CHECK, "--model-verdict", "pod.yaml"), 2),
        ((*CHECK, "--policy", "trust.yaml"), 2),
    ],
)
@pytest.mark.usefixtures("manifest")
def test_refuses_wrong_usage(shell: Shell, arguments: tuple[str, ...], code: int) -> None:  # noqa: F811
    done = shell.run(*arguments)
    assert (done.code, done.out) == (code, "")


def test_json_is_what_its_schema_says(manifest: str, shell: Shell) -> None:  # noqa: F811
    (shell.directory / "bad.yaml").write_text("")
    write(shell, deployment(manifest), deployment(OTHER), pod(containers=[container(image="app", **GPU)]))
    done = shell.run("check", "bad.yaml", *CHECK[1:], "--verdict", VERDICT, "--format", "json")
    assert done.code == 1
    report = json.loads(done.out)
    jsonschema.Draft202012Validator(json.loads((SCHEMAS / "admission-report-v1.json").read_text())).validate(report)
    assert report["verdict"] == "failed"
    assert [item["outcome"] for item in report["pods"]] == ["admit", "hold", "hold"]
    assert report["pods"][0]["models"][0]["verified"] is True
    assert [reason["code"] for reason in report["pods"][2]["reasons"]] == ["image-not-pinned", "no-verdict"]
    assert report["undecided"][0]["file"] == "bad.yaml"


def test_sarif_points_at_the_line(manifest: str, shell: Shell) -> None:  # noqa: F811
    (shell.directory / "bad.yaml").write_text("")
    write(shell, deployment(manifest), pod(containers=[container(name="[a](b)", image="app", **GPU)]))
    done = shell.run("check", "bad.yaml", *CHECK[1:], "--verdict", VERDICT, "--format", "sarif")
    assert done.code == 1
    (run,) = json.loads(done.out)["runs"]
    rules = [rule["id"] for rule in run["tool"]["driver"]["rules"]]
    assert [result["ruleId"] for result in run["results"]] == ["image-not-pinned", "no-verdict", "undecided"]
    assert [rules[result["ruleIndex"]] for result in run["results"]] == [r["ruleId"] for r in run["results"]]
    place = run["results"][0]["locations"][0]["physicalLocation"]
    lines = (shell.directory / "pod.yaml").read_text().splitlines()
    assert place["artifactLocation"]["uri"] == "pod.yaml"
    assert lines[place["region"]["startLine"] - 1].strip().removeprefix("- ") == "image: app"
    assert "'\\[a\\](b)'" in run["results"][0]["message"]["text"]
    assert run["results"][0]["level"] == "error"
