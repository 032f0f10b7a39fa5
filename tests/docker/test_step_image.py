"""The step image on a real engine, with nothing allowed that a step does not need."""

from __future__ import annotations

import hashlib
import json
import tarfile
import time
from datetime import UTC, datetime, timedelta
from pathlib import Path

import pytest
from tools import debian_base, go_tools, step_image

from tests.builders import PASSPHRASE, POLICY, Scene, make_model, trust_bytes
from tests.docker.fixture import Steps, writable
from weighbridge.model.digest import hash_model

pytestmark = [pytest.mark.docker, pytest.mark.timeout(600)]

SCAN_ONLY = POLICY[: POLICY.index("    - check: dependency-audit")] + "  separation: [[scanner], [verifier]]\n"


@pytest.fixture
def scene(tmp_path: Path) -> Scene:
    """A model that a scan finds clean, keys, policy and trust, in directories as they are mounted."""
    tmp_path.chmod(0o755)
    model = make_model(tmp_path / "model")
    (model / "a.bin").unlink()
    (model / "config.json").write_text('{"layers": 2}')
    found = Scene(model)
    documents = tmp_path / "documents"
    documents.mkdir()
    (documents / "policy.yaml").write_text(SCAN_ONLY)
    (documents / "trust.yaml").write_bytes(trust_bytes(found.keys, expires=datetime.now(UTC) + timedelta(days=30)))
    for role in ("scanner", "verifier"):
        (tmp_path / "keys" / role).mkdir(parents=True)
        (tmp_path / "keys" / role / f"{role}.key").write_bytes(found.keys[role].encrypted(PASSPHRASE))
        (tmp_path / "keys" / role / f"{role}.key").chmod(0o644)
    for name in ("measured", "signed", "gate"):
        writable(tmp_path / name)
    return found


def run_all(steps: Steps, root: Path, *, run: str = "run-1") -> list[int]:
    """Measure, sign and judge in three containers; return their exit codes."""
    model = (root / "model", "/in/model", "ro")
    documents = (root / "documents", "/in/documents", "ro")
    passphrase = ("--env", f"WEIGHBRIDGE_PASSPHRASE={PASSPHRASE.decode()}")
    measured = steps.run(
        *("step", "model-scan", "--model", "/in/model", "--run", run, "--out", "/out"),
        mounts=(model, (root / "measured", "/out", "rw")),
    )
    signed = steps.run(
        *("step", "sign-model", "--model", "/in/model", "--run", run, "--model-scan", "/measured/measured.json"),
        *("--keys", "/keys", "--policy", "/in/documents/policy.yaml", "--out", "/out"),
        mounts=(
            *(model, documents, (root / "measured", "/measured", "ro"), (root / "signed", "/out", "rw")),
            (root / "keys" / "scanner", "/keys", "ro"),
        ),
        options=passphrase,
    )
    judged = steps.run(
        *("step", "gate", "--model", "/in/model", "--evidence", "/signed/evidence", "--run", run),
        *("--policy", "/in/documents/policy.yaml", "--trust", "/in/documents/trust.yaml"),
        *("--key", "/keys/verifier.key", "--out", "/out"),
        mounts=(
            *(model, documents, (root / "signed", "/signed", "ro"), (root / "gate", "/out", "rw")),
            (root / "keys" / "verifier", "/keys", "ro"),
        ),
        options=passphrase,
    )
    print(measured.err, signed.err, judged.err, sep="\n")
    return [measured.code, signed.code, judged.code]


def test_a_good_model_passes_with_nothing_allowed(steps: Steps, scene: Scene, tmp_path: Path) -> None:
    assert run_all(steps, tmp_path) == [0, 0, 0]
    assert hash_model(tmp_path / "gate" / "model") == scene.digest
    released = tmp_path / "gate" / "model" / "config.json"
    assert released.stat().st_uid == 65532


def test_a_bad_model_is_measured_and_never_released(steps: Steps, scene: Scene, tmp_path: Path) -> None:
    (tmp_path / "model" / "model.pkl").write_bytes(b"cos\nsystem\n(S'true'\ntR.")
    assert run_all(steps, tmp_path) == [0, 0, 1]
    assert sorted(path.name for path in (tmp_path / "gate").iterdir()) == ["report.md", "verdict.sigstore.json"]


def test_says_which_confinement_was_really_in_force(steps: Steps, scene: Scene, tmp_path: Path) -> None:
    found = steps.run(
        *("step", "model-scan", "--model", "/in/model", "--run", "r", "--out", "/out"),
        mounts=((tmp_path / "model", "/in/model", "ro"), (tmp_path / "measured", "/out", "rw")),
    )
    assert found.code == 0, found.err
    said = json.loads((tmp_path / "measured" / "measured.json").read_text())["confinement"]
    print(said["summary"])
    doctor = steps.run("doctor")
    assert f"Landlock ABI {said['landlockAbi']}" in doctor.out or said["landlockAbi"] == 0
    assert said["filesystem"] == (said["landlockAbi"] > 0)
    assert (said["network"], said["seccomp"]) == (True, True)


def test_a_check_refuses_to_run_beside_a_key(steps: Steps, scene: Scene, tmp_path: Path) -> None:
    found = steps.run(
        *("step", "model-scan", "--model", "/in/model", "--run", "r", "--out", "/out"),
        mounts=(
            *((tmp_path / "model", "/in/model", "ro"), (tmp_path / "measured", "/out", "rw")),
            (tmp_path / "keys" / "scanner", "/var/run/weighbridge/keys", "ro"),
        ),
    )
    assert found.code == 64
    assert "in the container that opens the model" in found.err
    assert list((tmp_path / "measured").iterdir()) == []


def test_a_step_can_write_nowhere_but_to_its_output(steps: Steps) -> None:
    code = (
        "import os, socket\n"
        "assert os.getuid() == os.getgid() == 65532, os.getuid()\n"
        "status = dict(line.split(':', 1) for line in open('/proc/self/status').read().splitlines())\n"
        "assert int(status['CapEff'], 16) == int(status['CapBnd'], 16) == 0, status\n"
        "assert status['NoNewPrivs'].strip() == '1'\n"
        "assert status['Seccomp'].strip() == '2'\n"
        "for place in ('/', '/usr/local/bin', '/var/tmp', '/in'):\n"
        "    try:\n"
        "        open(place + '/probe', 'w')\n"
        "    except OSError:\n"
        "        continue\n"
        "    raise SystemExit(place)\n"
        "print(*[name for _, name in socket.if_nameindex()])\n"
    )
    found = steps.python(code)
    assert (found.code, found.out.split(), found.err) == (0, ["lo"], "")


def test_holds_nothing_that_a_step_does_not_need(steps: Steps) -> None:
    """Look at every layer's own list of files, not at what a running container shows."""
    names: dict[str, tarfile.TarInfo] = {}
    size = 0
    with tarfile.open(steps.image.archive) as image:
        listing = image.extractfile("manifest.json")
        assert listing is not None
        (manifest,) = json.load(listing)
        for layer in manifest["Layers"]:
            with tarfile.open(fileobj=image.extractfile(layer)) as content:
                for entry in content:
                    names[entry.name] = entry
                    size += entry.size
    print(f"{len(names)} files, {size / 1e6:.0f} MB")
    assert size < 560_000_000  # of which pyarrow, which reads Parquet and Arrow, is 110 MB
    assert [name for name, entry in names.items() if entry.mode & 0o6000] == []
    paths = set(names)
    for unwanted in ("usr/bin/apt", "usr/bin/dpkg", "usr/bin/perl", "usr/bin/su", "usr/bin/mount", "usr/bin/passwd"):
        assert unwanted not in paths
    for part in ("/pip/", "/tests/", "var/cache/", "var/lib/apt", "share/doc/", "share/locale/", "share/man/"):
        assert [name for name in paths if part in name] == []
    assert [name for name in paths if name.endswith(".key")] == []


def test_says_what_is_in_it(steps: Steps) -> None:
    (found,) = json.loads(steps.engine.docker("image", "inspect", steps.image.reference).stdout)
    assert found["Config"]["User"] == "65532:65532"
    assert found["Config"]["Entrypoint"] == ["/usr/local/bin/weighbridge"]
    place = found["Config"]["Labels"]["dev.weighbridge.sbom"]
    bill = json.loads(steps.python(f"print(open({place!r}).read())").out)
    components = {item["name"]: item["purl"] for item in bill["components"]}
    assert bill["specVersion"] == "1.6"
    assert components["libc6"].startswith("pkg:deb/debian/libc6@")
    assert components["weighbridge"] == "pkg:pypi/weighbridge@0.1.0"
    listed = steps.python("import importlib.metadata as m; print(*sorted({d.name.lower() for d in m.distributions()}))")
    installed = {name.replace("_", "-") for name in listed.out.split()}
    assert installed <= set(components)
    assert "apt" not in components


def test_layers_depend_on_content_only(steps: Steps, tmp_path: Path) -> None:
    """Make the application's archive twice; the base has a key of its own and is made from what Debian serves."""
    base = debian_base.base_archive(go_tools.cache_root() / "step-image")
    wheel, sums = step_image.build_wheel(tmp_path / "wheel"), []
    for name in ("one.tar", "two.tar"):
        step_image.application(base, wheel, tmp_path / name)
        sums.append(hashlib.sha256((tmp_path / name).read_bytes()).hexdigest())
        (tmp_path / name).unlink()
    assert sums[0] == sums[1]
    (found,) = json.loads(steps.engine.docker("image", "inspect", steps.image.reference).stdout)
    print(*found["RootFS"]["Layers"], sep="\n")
    assert len(found["RootFS"]["Layers"]) == 2


def test_every_check_can_be_imported(steps: Steps) -> None:
    modules = "numpy, scipy.stats, sklearn.ensemble, sklearn.neural_network, joblib, onnxruntime"
    modules += ", weighbridge.checks.robustness.check, weighbridge.checks.leakage.check"
    found = steps.python(f"import {modules}; print(onnxruntime.get_available_providers())")
    assert found.code == 0, found.err
    assert "CPUExecutionProvider" in found.out


def test_starts_without_compiling(steps: Steps) -> None:
    started = time.monotonic()
    found = steps.run("step", "model-scan", "--run", "r")
    print(f"container start to end of a refused step: {time.monotonic() - started:.2f} s")
    assert found.err.startswith("model-scan: started\n")
    assert found.code == 64
