# kfp reads annotations as objects, so they must not be postponed here.
import sys
from pathlib import Path
from typing import Any

import pytest
import yaml
from kfp import dsl
from kfp.compiler import Compiler
from tools import components as generated

from tests.builders import POLICY, make_keys, trust_bytes
from weighbridge.errors import UsageError
from weighbridge.kfp import Data, Secrets, Unpinned, component, secure
from weighbridge.pipelines.spec import STEPS

IMAGE = generated.IMAGE


@pytest.mark.parametrize("name", STEPS)
def test_every_component_is_as_the_table_of_steps_says(name: str) -> None:
    place = generated.ROOT / name
    for file, text in generated.files(name).items():
        assert (place / file).read_text(encoding="utf-8") == text, "python -m tools.components"
    assert (place / "component.yaml").read_text() == generated.compiled(name, place / "component.py")
    metadata = yaml.safe_load((place / "metadata.yaml").read_text())
    assert metadata["name"] == name.replace("-", "_")


@pytest.mark.parametrize("name", STEPS)
def test_the_library_makes_the_same_component_as_the_directory(name: str, tmp_path: Path) -> None:
    Compiler().compile(component(name, image=IMAGE), str(tmp_path / "component.yaml"))
    made = yaml.safe_load((tmp_path / "component.yaml").read_text())
    assert made == yaml.safe_load((generated.ROOT / name / "component.yaml").read_text())


@pytest.mark.parametrize(
    "image", ["step", "step:1.0", "step@sha256:abc", "step@sha512:" + "0" * 128, "a b@sha256:" + "0" * 64]
)
def test_refuses_an_image_without_digest(image: str) -> None:
    with pytest.raises(UsageError, match="no digest"):
        component("gate", image=image)
    assert component("gate", image=Unpinned("step:1.0")) is not None


def test_refuses_a_step_that_does_not_exist() -> None:
    with pytest.raises(UsageError, match="no step"):
        component("deploy", image=IMAGE)


@pytest.fixture
def documents(tmp_path: Path) -> dict[str, Any]:
    (tmp_path / "policy.yaml").write_text(POLICY)
    (tmp_path / "trust.yaml").write_bytes(trust_bytes(make_keys()))
    return {"policy": tmp_path / "policy.yaml", "trust": tmp_path / "trust.yaml"}


@dsl.container_component
def deploy(model: dsl.Input[dsl.Model]) -> dsl.ContainerSpec:
    return dsl.ContainerSpec(image=IMAGE, command=["true"], args=[model.path])


def compiled(documents: dict[str, Any], tmp_path: Path, *, secrets: Secrets | None = None) -> list[dict[str, Any]]:
    @dsl.pipeline(name="secured")
    def pipeline(model: dsl.Input[dsl.Model], data: dsl.Input[dsl.Dataset], lock: dsl.Input[dsl.Artifact]) -> None:
        needed = Data(lock=lock, test=data, members=data, non_members=data)
        deploy(model=secure(model, image=IMAGE, data=needed, secrets=secrets, **documents))

    Compiler().compile(pipeline, str(tmp_path / "pipeline.yaml"))
    return list(yaml.safe_load_all((tmp_path / "pipeline.yaml").read_text()))


def test_only_what_the_gate_released_can_be_deployed(documents: dict[str, Any], tmp_path: Path) -> None:
    tasks = compiled(documents, tmp_path)[0]["root"]["dag"]["tasks"]
    assert set(tasks) == {*STEPS, "deploy"} - {"verify-model"}
    source = tasks["deploy"]["inputs"]["artifacts"]["model"]["taskOutputArtifact"]
    assert source == {"outputArtifactKey": "verified", "producerTask": "gate"}
    for name in set(tasks) - {"deploy"}:
        assert tasks[name]["cachingOptions"] == {}, name
        run = tasks[name]["inputs"]["parameters"]["run"]["runtimeValue"]["constant"]
        assert run == "{{$.pipeline_job_uuid}}"


def test_the_policy_decides_what_is_measured(documents: dict[str, Any], tmp_path: Path) -> None:
    tasks = compiled(documents, tmp_path)[0]["root"]["dag"]["tasks"]
    values = {
        name: value["runtimeValue"]["constant"]
        for name, value in tasks["robustness-test"]["inputs"]["parameters"].items()
    }
    assert (values["epsilon"], values["at_least"], values["confidence"]) == (0.1, 0.6, 0.95)


@pytest.mark.parametrize("kept", ["lock", "test", "members", "non_members"])
def test_refuses_a_pipeline_without_what_the_policy_asks_for(documents: dict[str, Any], kept: str) -> None:
    with pytest.raises(UsageError, match="the policy asks for"):

        @dsl.pipeline(name="secured")
        def pipeline(model: dsl.Input[dsl.Model], data: dsl.Input[dsl.Dataset]) -> None:
            every = dict.fromkeys(("lock", "test", "members", "non_members"), data)
            del every[kept]
            secure(model, image=IMAGE, data=Data(**every), **documents)


def test_secrets_are_mounted_where_something_is_signed_and_nowhere_else(
    documents: dict[str, Any], tmp_path: Path
) -> None:
    _, platform = compiled(documents, tmp_path, secrets=Secrets("signing", "verifier", "phrase"))
    executors = platform["platforms"]["kubernetes"]["deploymentSpec"]["executors"]
    mounted = {
        name: {item["mountPath"]: item["secretName"] for item in found["secretAsVolume"]}
        for name, found in executors.items()
    }
    assert mounted == {
        "exec-sign-model": {
            "/var/run/weighbridge/keys": "signing",
            "/var/run/weighbridge/passphrase": "phrase",
        },
        "exec-gate": {
            "/var/run/weighbridge/keys": "verifier",
            "/var/run/weighbridge/passphrase": "phrase",
        },
    }


def test_the_verifiers_passphrase_may_be_in_a_secret_of_its_own(documents: dict[str, Any], tmp_path: Path) -> None:
    secrets = Secrets("signing", "verifier", "phrases", verifier_passphrase="own")
    _, platform = compiled(documents, tmp_path, secrets=secrets)
    executors = platform["platforms"]["kubernetes"]["deploymentSpec"]["executors"]
    mounted = {name: [item["secretName"] for item in found["secretAsVolume"]] for name, found in executors.items()}
    assert mounted == {"exec-sign-model": ["signing", "phrases"], "exec-gate": ["verifier", "own"]}


def test_says_what_mounting_secrets_needs(
    documents: dict[str, Any], tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.delattr("kfp.kubernetes", raising=False)
    monkeypatch.setitem(sys.modules, "kfp.kubernetes", None)
    with pytest.raises(UsageError, match="kfp-kubernetes"):
        compiled(documents, tmp_path, secrets=Secrets("signing", "verifier", "passphrase"))
