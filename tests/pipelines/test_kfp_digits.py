"""The example ``pipelines/01-kfp-digits``, run for real."""

import importlib.util
import json
import subprocess
import sys
import time
from pathlib import Path
from types import ModuleType

import pytest
from tools.components import IMAGE

from tests.builders import make_keys, trust_bytes
from tests.docker.fixture import HARDENED, Steps, writable
from tests.pipelines.local import Local, local_runs, make_local
from weighbridge.cli._bindings import Given, bindings_of
from weighbridge.gate.verify import verify
from weighbridge.kfp import Unpinned
from weighbridge.policy.edit import bind

PIPELINE = Path(__file__).resolve().parents[2] / "pipelines" / "01-kfp-digits" / "pipeline.py"


def example() -> ModuleType:
    spec = importlib.util.spec_from_file_location("kfp_digits", PIPELINE)
    assert spec is not None
    assert spec.loader is not None
    module = importlib.util.module_from_spec(spec)
    spec.loader.exec_module(module)
    return module


def bound_policy(place: Path, steps: Steps) -> Path:
    """Prepare the example's data beforehand, by its script in its image, and return the policy with them bound."""
    data = writable(place / "prepared")
    names = ("requirements", "members", "non_members", "test")
    message = {
        "outputs": {
            "artifacts": {name: {"artifacts": [{"name": name, "uri": f"/data/{name}"}]} for name in names},
            "outputFile": "/data/output.json",
        }
    }
    script = (PIPELINE.parent / "prepare.py").read_text()
    image = steps.image.reference
    python = ("--entrypoint", "/usr/bin/python3", image, "-I", "-c", script, json.dumps(message))
    steps.engine.docker("run", "--rm", *HARDENED, f"--volume={data}:/data", *python)
    given = Given(
        test=(data / "test",),
        members=(data / "members",),
        non_members=(data / "non_members",),
        requirements=(data / "requirements",),
    )
    bindings = bindings_of(given, fallback=None, accepted=None)
    text = bind((PIPELINE.parent / "policy.yaml").read_bytes(), bindings=bindings, name="policy.yaml")
    (place / "policy.yaml").write_bytes(text)
    return place / "policy.yaml"


def test_compiles_for_a_backend(tmp_path: Path) -> None:
    (tmp_path / "trust.yaml").write_bytes(trust_bytes(make_keys()))
    command = [sys.executable, str(PIPELINE), "--image", IMAGE, "--trust", "trust.yaml", "-o", "pipeline.yaml"]
    subprocess.run(command, cwd=tmp_path, check=True)
    assert "pip install" not in (tmp_path / "pipeline.yaml").read_text()


@pytest.mark.docker
@pytest.mark.timeout(900)
def test_trains_secures_and_deploys(steps: Steps, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    local: Local = make_local(steps, tmp_path)
    policy = bound_policy(tmp_path, steps)
    pipeline = example().digits(image=Unpinned(steps.image.reference), trust=local.root / "trust.yaml", policy=policy)
    started = time.monotonic()
    with local_runs(local, monkeypatch):
        pipeline()
    print(f"{len(local.ended)} tasks in {time.monotonic() - started:.1f} s")
    assert [code for _, code in local.ended] == [0] * 9, local.ended
    (deployed,) = local.files("deployed")
    assert deployed.read_text() == "serving model.pkl"
    (verified,), (verdict,) = local.files("verified"), local.files("verdict")
    assert verify(verified, verdict=verdict, trust=local.root / "trust.yaml", policy=policy).policy_name == "production"


@pytest.mark.docker
@pytest.mark.timeout(900)
def test_a_poisoned_training_script_deploys_nothing(
    steps: Steps, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    local: Local = make_local(steps, tmp_path)
    module = example()
    poisoned = module.TRAIN.replace("pickle.dumps(model)", "b\"cos\\nsystem\\n(S'true'\\ntR0\" + pickle.dumps(model)")
    assert poisoned != module.TRAIN
    pipeline = module.digits(
        image=Unpinned(steps.image.reference),
        trust=local.root / "trust.yaml",
        policy=bound_policy(tmp_path, steps),
        train_script=poisoned,
    )
    with local_runs(local, monkeypatch):
        pipeline()
    assert local.ended[-1] == ("gate", 1), local.ended
    assert local.files("deployed") == []
