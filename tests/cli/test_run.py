"""The whole chain on real models that the demo does not make, through the real command line and real workers."""

from __future__ import annotations

import base64
import json
import pickle
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import Any

import numpy as np
import pytest
from skl2onnx import to_onnx
from sklearn.datasets import load_breast_cancer, load_wine
from sklearn.ensemble import RandomForestClassifier
from sklearn.linear_model import LogisticRegression
from sklearn.neighbors import KNeighborsClassifier
from sklearn.preprocessing import minmax_scale

from tests.cli.conftest import Shell
from weighbridge.checks.dependencies.advisories import packaged_bundle

pytestmark = pytest.mark.landlock

POLICY = """\
apiVersion: weighbridge.dev/v1alpha1
kind: ModelPolicy
metadata: {name: test}
spec:
  inputs:
    advisories: {signers: [nobody], maxAge: 520w, accepted: {reason: a test, owner: tests, expires: UNTIL}}
  requirements:
    - {check: model-scan, signers: [scanner]}
    - {check: dependency-audit, signers: [auditor]}
    - check: robustness
      signers: [tester]
      limits:
        {norm: linf, epsilon: 0.02, accuracyUnderAttack: {atLeast: 0.5, confidence: 0.95}, examples: 100, queries: 400}
    - check: leakage
      signers: [tester]
      limits: {membership: {tprAtFpr: 0.05, atMost: 0.35, confidence: 0.95}}
""".replace("UNTIL", f"{datetime.now(UTC) + timedelta(days=30):%Y-%m-%d}")
CHECKS = {"model-scan", "dependency-audit", "robustness", "leakage"}


def prepare(shell: Shell, x: np.ndarray[Any, Any], y: np.ndarray[Any, Any]) -> tuple[Any, Any]:
    """Write keys, trust, policy and data; return the half to train on."""
    order = np.random.default_rng(0).permutation(len(x))
    x, y = minmax_scale(x)[order].astype(np.float32), y[order]
    half = len(x) // 2
    (shell.directory / "model").mkdir()
    np.savez(shell.directory / "in.npz", x=x[:half], y=y[:half])
    np.savez(shell.directory / "out.npz", x=x[half:], y=y[half:])
    (shell.directory / "requirements.txt").write_text("scikit-learn==1.9.1\nnumpy==2.4.6\n")
    (shell.directory / "policy.yaml").write_text(POLICY)
    made = shell.run("keys", "new", "scanner", "auditor", "tester", "verifier", "--passphrases", "passphrases")
    assert made.code == 0, made.err
    assert shell.run("trust", "init", "trust.yaml", "--keys", "keys").code == 0
    assert shell.run("policy", "bind", "policy.yaml", *BIND).code == 0
    return x[:half], y[:half]


BIND = (
    *("--test", "out.npz", "--members", "in.npz", "--non-members", "out.npz", "-r", "requirements.txt"),
    *("--advisories", str(packaged_bundle())),
)
RUN = (
    *("run", "model", "--policy", "policy.yaml", "--trust", "trust.yaml", "-r", "requirements.txt"),
    *("--keys", "keys", "--passphrase-file", "passphrases"),
    *("--data", "out.npz", "--members", "in.npz", "--non-members", "out.npz"),
)
VERIFY = (
    *("verify", "model", "--verdict", "model.verdict.sigstore.json", "--trust", "trust.yaml"),
    *("--policy", "policy.yaml"),
)


def records(shell: Shell) -> dict[str, dict[str, Any]]:
    found = {}
    for path in (shell.directory / "evidence").iterdir():
        payload = json.loads(base64.b64decode(json.loads(path.read_bytes())["dsseEnvelope"]["payload"]))
        if "weighbridge.dev/record/v1" in payload["predicate"]:
            record = payload["predicate"]["weighbridge.dev/record/v1"]
            found[record["check"]] = record
    return found


def test_scikit_learn_model_passes(shell: Shell) -> None:
    data = load_breast_cancer()
    x, y = prepare(shell, data.data, data.target)
    model = LogisticRegression(C=0.1).fit(x, y)
    (shell.directory / "model" / "model.pkl").write_bytes(pickle.dumps(model))
    run = shell.run(*RUN, "--report", "report.html")
    assert run.code == 0, run.out + run.err
    assert shell.run(*VERIFY).code == 0
    found = records(shell)
    assert set(found) == CHECKS
    for record in found.values():
        assert record["confinement"]["filesystem"] is True
        assert record["confinement"]["network"] is True
    assert found["robustness"]["measurements"]["entries"][0]["framework"] == "scikit-learn"
    assert "passed" in (shell.directory / "report.html").read_text()
    assert len(list((shell.directory / "evidence").glob("cyclonedx-*"))) == 1


def test_onnx_model_passes_and_its_evidence_cannot_be_moved(shell: Shell) -> None:
    data = load_breast_cancer()
    x, y = prepare(shell, data.data, data.target)
    forest = RandomForestClassifier(50, max_depth=3, min_samples_leaf=10, random_state=0).fit(x, y)
    graph = to_onnx(forest, x[:1], options={"zipmap": False})
    (shell.directory / "model" / "model.onnx").write_bytes(graph.SerializeToString())
    run = shell.run(*RUN, "--format", "json")
    report = json.loads(run.out)
    states = {item["check"]: item["state"] for item in report["verdict"]["requirements"]}
    assert states["model-scan"] == "satisfied"
    assert states["leakage"] == "satisfied"
    assert set(records(shell)) == CHECKS
    (shell.directory / "model" / "model.onnx").rename(shell.directory / "model" / "other.onnx")
    gate = shell.run("gate", "model", "--policy", "policy.yaml", "--trust", "trust.yaml")
    assert gate.code == 2
    assert shell.run(*VERIFY).code == 1


def test_model_that_keeps_its_training_rows_fails(shell: Shell) -> None:
    data = load_breast_cancer()
    x, y = prepare(shell, data.data, data.target)
    (shell.directory / "model" / "model.pkl").write_bytes(pickle.dumps(KNeighborsClassifier(5).fit(x, y)))
    run = shell.run(*RUN, "--explain")
    assert run.code == 1
    assert "training rows verbatim" in run.out
    assert shell.run(*VERIFY).code == 1


class Payload:
    def __reduce__(self) -> Any:
        import os

        return os.system, ("true",)


def test_forbidden_pickle_is_refused_and_never_loaded(shell: Shell) -> None:
    data = load_wine()
    prepare(shell, data.data, data.target)
    (shell.directory / "model" / "model.pkl").write_bytes(pickle.dumps(Payload()))
    run = shell.run(*RUN, "--explain")
    assert run.code == 1
    assert "forbidden-global" in run.out
    for check in ("robustness", "leakage"):
        assert records(shell)[check]["undecided"], check


@pytest.mark.parametrize("option", ["--data", "--members", "--non-members", "-r"])
def test_missing_input_is_said_before_anything_runs(shell: Shell, option: str) -> None:
    data = load_wine()
    prepare(shell, data.data, data.target)
    (shell.directory / "model" / "a.bin").write_bytes(b"1")
    position = RUN.index(option)
    run = shell.run(*RUN[:position], *RUN[position + 2 :])
    assert run.code == 64
    assert "the policy asks for" in run.err
    assert not (shell.directory / "evidence").exists()


def test_a_missing_key_is_said_before_anything_runs(shell: Shell) -> None:
    data = load_wine()
    prepare(shell, data.data, data.target)
    (shell.directory / "model" / "a.bin").write_bytes(b"1")
    for role in ("verifier", "tester"):
        (shell.directory / "keys" / f"{role}.key").unlink()
        run = shell.run(*RUN)
        assert run.code == 64
        assert f"keys/{role}.key is missing" in run.err
    assert not (shell.directory / "evidence").exists()


@pytest.mark.parametrize(
    "line",
    [
        ("audit", "-r", "nothing.txt"),
        ("robustness", "model", "--data", "nothing.npz"),
        ("leakage", "model", "--members", "nothing.npz", "--non-members", "nothing.npz"),
    ],
)
def test_a_missing_input_is_wrong_usage(shell: Shell, line: tuple[str, ...]) -> None:
    result = shell.run(*line)
    assert (result.code, result.out) == (64, "")
    assert "does not exist" in result.err


def test_keys_where_a_worker_could_read_them_are_refused(shell: Shell) -> None:
    data = load_wine()
    prepare(shell, data.data, data.target)
    (shell.directory / "keys").rename(shell.directory / "model" / "keys")
    run = shell.run(*[item if item != "keys" else "model/keys" for item in RUN])
    assert run.code == 64
    assert "verifier.key" in run.err or "keys" in run.err
    assert not (shell.directory / "evidence").exists()


@pytest.mark.parametrize(("content", "code"), [(b"\x80\x04]q\x00.", 0), (b"import os\n", 1), (b"\x00" * 64, 2)])
def test_scan_alone_signs_what_it_found(shell: Shell, content: bytes, code: int) -> None:
    names = {0: "model.pkl", 1: "setup.py", 2: "weights.xyz"}
    (shell.directory / "model").mkdir()
    (shell.directory / "model" / names[code]).write_bytes(content)
    assert shell.run("keys", "new", "scanner").code == 0
    scan = shell.run("scan", "model", "--key", "keys/scanner.key", "--format", "json")
    assert scan.code == code, scan.out
    report = json.loads(scan.out)
    assert report["schema"] == "weighbridge.dev/model-scan-report/v1"
    assert report["verdict"] == {0: "passed", 1: "failed", 2: "undecided"}[code]
    assert records(shell)["model-scan"]["tool"]["name"] == "weighbridge"


def test_a_key_is_never_opened_for_a_model_that_changes(tmp_path: Path) -> None:
    """The digest is taken again after the worker; a changed model signs nothing."""
    import threading

    model = tmp_path / "model"
    model.mkdir()
    (model / "a.json").write_text("{}")
    shell = Shell(tmp_path)
    assert shell.run("keys", "new", "scanner").code == 0
    stop = threading.Event()

    def disturb() -> None:
        count = 0
        while not stop.wait(0.005):
            count += 1
            (tmp_path / "next.json").write_text(json.dumps({"a": count}))
            (tmp_path / "next.json").rename(model / "a.json")

    thread = threading.Thread(target=disturb)
    thread.start()
    try:
        scan = shell.run("scan", "model", "--key", "keys/scanner.key")
    finally:
        stop.set()
        thread.join()
    assert scan.code == 2
    assert "changed" in scan.err
    assert not (tmp_path / "evidence").exists()
