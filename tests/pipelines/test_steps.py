"""The steps as a container engine calls them: a process each, plain paths in and out."""

from __future__ import annotations

import json
from pathlib import Path

import pytest

from tests.builders import PASSPHRASE, POLICY, Scene
from tests.cli.conftest import Shell
from weighbridge.gate.verify import verify
from weighbridge.model.digest import hash_model


def scan(shell: Shell, *, run: str = "run-1") -> None:
    result = shell.run("step", "model-scan", "--model", "model", "--run", run, "--out", "scan")
    assert result.code == 0, result.err
    assert result.out == ""


def sign(shell: Shell, *, run: str = "run-1", key: str = "keys/scanner.key") -> tuple[int, str]:
    result = shell.run(
        *("step", "sign-model", "--model", "model", "--run", run, "--model-scan", "scan/measured.json"),
        *("--key", key, "--out", "signed"),
    )
    return result.code, result.err


def gate(shell: Shell, *, run: str = "run-1") -> tuple[int, str]:
    result = shell.run(
        *("step", "gate", "--model", "model", "--evidence", "signed/evidence", "--policy", "policy.yaml"),
        *("--trust", "trust.yaml", "--run", run, "--key", "keys/verifier.key", "--out", "gate"),
    )
    return result.code, result.err


def test_a_good_model_comes_out_of_the_gate(scanned: Scene, shell: Shell, tmp_path: Path) -> None:
    scan(shell)
    assert sign(shell)[0] == 0
    code, err = gate(shell)
    assert code == 0, err
    assert hash_model(tmp_path / "gate" / "model") == scanned.digest
    verdict = tmp_path / "gate" / "verdict.sigstore.json"
    released, trust, policy = (tmp_path / name for name in ("gate/model", "trust.yaml", "policy.yaml"))
    assert verify(released, verdict=verdict, trust=trust, policy=policy).model == scanned.digest
    assert "passed" in (tmp_path / "gate" / "report.md").read_text()
    verified = shell.run(
        *("step", "verify-model", "--model", "gate/model", "--verdict", verdict, "--trust", "trust.yaml"),
        *("--policy", "policy.yaml", "--out", "serving"),
    )
    assert verified.code == 0, verified.err
    assert hash_model(tmp_path / "serving" / "model") == scanned.digest


def test_a_mounted_passphrase_is_of_one_role_or_of_all(scanned: Scene, shell: Shell, tmp_path: Path) -> None:
    scan(shell)
    (tmp_path / "phrases").mkdir()
    (tmp_path / "phrases" / "passphrase").write_text("wrong, and of everybody")
    arguments = ("step", "sign-model", "--model", "model", "--run", "run-1", "--model-scan", "scan/measured.json")
    rest = ("--key", "keys/scanner.key", "--passphrase-file", "phrases", "--out", "signed")
    wrong = shell.run(*arguments, *rest)
    assert (wrong.code, "cannot be decrypted" in wrong.err) == (2, True)
    (tmp_path / "phrases" / "scanner").write_bytes(PASSPHRASE)
    right = shell.run(*arguments, *rest, WEIGHBRIDGE_PASSPHRASE="")
    assert right.code == 0, right.err


def test_a_bad_model_is_measured_and_signed_and_stops_at_the_gate(scanned: Scene, shell: Shell, tmp_path: Path) -> None:
    (tmp_path / "model" / "model.pkl").write_bytes(b"cos\nsystem\n(S'true'\ntR.")
    scan(shell)
    assert sign(shell)[0] == 0
    code, err = gate(shell)
    assert code == 1
    assert "no model was released" in err
    assert sorted(path.name for path in (tmp_path / "gate").iterdir()) == ["report.md", "verdict.sigstore.json"]


@pytest.mark.parametrize("step", ["gate", "verify-model"])
def test_a_changed_byte_is_never_released(scanned: Scene, shell: Shell, tmp_path: Path, step: str) -> None:
    scan(shell)
    assert sign(shell)[0] == 0
    if step == "verify-model":
        assert gate(shell)[0] == 0
    (tmp_path / "model" / "config.json").write_text('{"layers": 3}')
    if step == "gate":
        assert gate(shell)[0] == 2
        assert not (tmp_path / "gate" / "model").exists()
        return
    result = shell.run(
        *("step", step, "--model", "model", "--verdict", "gate/verdict.sigstore.json", "--trust", "trust.yaml"),
        *("--out", "serving"),
    )
    assert result.code == 1
    assert list((tmp_path / "serving").iterdir()) == []


def test_measurements_that_a_cache_kept_are_not_signed(scanned: Scene, shell: Shell, tmp_path: Path) -> None:
    scan(shell, run="run-1")
    code, err = sign(shell, run="run-2")
    assert code == 1
    assert "cache" in err
    assert not list((tmp_path / "signed").rglob("*.sigstore.json"))


def test_evidence_that_a_cache_kept_does_not_pass_the_gate(scanned: Scene, shell: Shell, tmp_path: Path) -> None:
    scan(shell)
    assert sign(shell)[0] == 0
    code, err = gate(shell, run="run-2")
    assert code == 2
    assert "not of run run-2" in err
    assert not (tmp_path / "gate" / "model").exists()


def test_measurements_of_other_bytes_are_not_signed(scanned: Scene, shell: Shell, tmp_path: Path) -> None:
    scan(shell)
    (tmp_path / "model" / "config.json").write_text('{"layers": 3}')
    code, err = sign(shell)
    assert code == 1
    assert "examined" in err
    assert not list((tmp_path / "signed").rglob("*.sigstore.json"))


def test_measurements_that_say_other_files_were_read_are_not_signed(
    scanned: Scene, shell: Shell, tmp_path: Path
) -> None:
    """The digest alone is what a container that was taken over would write anyway."""
    scan(shell)
    place = tmp_path / "scan" / "measured.json"
    measured = json.loads(place.read_text())
    assert measured["view"]["kind"] in ("sealed", "copy")
    measured["files"][0]["sha256"] = "1" * 64
    place.write_text(json.dumps(measured))
    code, err = sign(shell)
    assert code == 1
    assert "read other files" in err
    assert "config.json" in err
    assert not list((tmp_path / "signed").rglob("*.sigstore.json"))


def test_a_check_step_has_no_way_to_be_given_a_key(scanned: Scene, shell: Shell) -> None:
    for step in ("model-scan", "dependency-audit", "robustness-test", "leakage-test"):
        result = shell.run("step", step, "--model", "model", "--run", "r", "--key", "keys/scanner.key", "--out", "o")
        assert result.code == 64
        assert "No such option" in result.err


def test_the_key_is_chosen_by_the_role_that_the_policy_names(scanned: Scene, shell: Shell, tmp_path: Path) -> None:
    scan(shell)
    arguments = ("step", "sign-model", "--model", "model", "--run", "run-1", "--model-scan", "scan/measured.json")
    without = shell.run(*arguments, "--keys", "keys", "--out", "signed")
    assert without.code == 64
    assert "which role signs" in without.err
    signed = shell.run(*arguments, "--keys", "keys", "--policy", "policy.yaml", "--out", "signed")
    assert signed.code == 0, signed.err
    assert gate(shell)[0] == 0
    other = POLICY[: POLICY.index("    - check: model-scan")] + POLICY[POLICY.index("    - check: dependency-audit") :]
    (tmp_path / "other.yaml").write_text(other)
    unasked = shell.run(*arguments, "--keys", "keys", "--policy", "other.yaml", "--out", "again")
    assert unasked.code == 64
    assert "does not ask for model-scan" in unasked.err


def test_refuses_an_output_that_is_there(scanned: Scene, shell: Shell, tmp_path: Path) -> None:
    scan(shell)
    assert sign(shell)[0] == 0
    assert gate(shell)[0] == 0
    code, err = gate(shell)
    assert code == 64
    assert "exists" in err


def test_the_same_through_the_message_of_kubeflow_pipelines(scanned: Scene, shell: Shell, tmp_path: Path) -> None:
    def artifact(name: str, path: Path) -> dict[str, object]:
        return {"artifacts": [{"name": name, "type": {"schemaTitle": "system.Artifact"}, "uri": str(path)}]}

    def run(step: str, inputs: dict[str, Path], parameters: dict[str, object], *outputs: str) -> dict[str, object]:
        message = {
            "inputs": {
                "parameterValues": parameters,
                "artifacts": {name: artifact(name, path) for name, path in inputs.items()},
            },
            "outputs": {
                "artifacts": {name: artifact(name, tmp_path / "kfp" / step / name) for name in outputs},
                "outputFile": str(tmp_path / "kfp" / step / "executor_output.json"),
            },
        }
        result = shell.run("step", step, "--executor-input", json.dumps(message))
        assert result.code == 0, result.err
        said = json.loads((tmp_path / "kfp" / step / "executor_output.json").read_text())["artifacts"]
        assert set(said) == set(outputs)
        return {name: value["artifacts"][0]["metadata"] for name, value in said.items()}

    model, kfp, digest = tmp_path / "model", tmp_path / "kfp", scanned.digest.hex
    keys = {"keys": str(tmp_path / "keys"), "passphrase_file": ""}
    policy, trust = (tmp_path / "policy.yaml").read_text(), (tmp_path / "trust.yaml").read_text()
    found = run("model-scan", {"model": model}, {"run": "run-1"}, "measured")
    assert found["measured"] | {"sha256": "", "confinement": ""} == {  # type: ignore[operator]
        **{"check": "model-scan", "sha256": "", "confinement": "", "dirHash": digest, "findings": 0, "undecided": 0}
    }
    run(
        "sign-model",
        {"model": model, "model_scan": kfp / "model-scan" / "measured"},
        {"run": "run-1", "policy": policy, **keys},
        "evidence",
    )
    run(
        "gate",
        {"model": model, "evidence": kfp / "sign-model" / "evidence"},
        {"run": "run-1", "policy": policy, "trust": trust, "key": str(tmp_path / "keys" / "verifier.key")},
        *("verified", "verdict", "report"),
    )
    assert hash_model(kfp / "gate" / "verified") == scanned.digest
    run(
        "verify-model",
        {"model": kfp / "gate" / "verified", "verdict": kfp / "gate" / "verdict"},
        {"trust": trust, "policy": policy},
        "verified",
    )
    assert hash_model(kfp / "verify-model" / "verified") == scanned.digest
