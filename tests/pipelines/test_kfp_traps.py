"""Ways in which a pipeline deploys a model that a scan refused; each is shown to work, and not to work against us."""

# kfp reads annotations as objects, so they must not be postponed here.
import shutil
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest
from kfp import dsl
from kfp.dsl.pipeline_task import PipelineTask

from tests.docker.fixture import Steps
from tests.pipelines.conftest import SCAN_ONLY
from tests.pipelines.local import Local, local_runs, make_local
from tests.pipelines.naive import Naive, naive
from weighbridge.kfp import Unpinned, secure
from weighbridge.model.digest import hash_model

pytestmark = [pytest.mark.docker, pytest.mark.timeout(600)]

EVIL = b"cos\nsystem\n(S'true'\ntR."


@pytest.fixture
def local(steps: Steps, tmp_path: Path) -> Local:
    """Keys, policy, trust and a good model at a place that an importer names."""
    made = make_local(steps, tmp_path)
    (made.root / "policy.yaml").write_text(SCAN_ONLY)
    model_of(made).mkdir(parents=True)
    (model_of(made) / "config.json").write_text('{"layers": 2}')
    return made


def model_of(local: Local) -> Path:
    return local.outputs / "models" / "m"


def make_evil(local: Local) -> None:
    (model_of(local) / "model.pkl").write_bytes(EVIL)


def secured(local: Local) -> Any:
    """Return the pipeline that deploys what the gate released."""
    image = local.steps.image.reference
    parts = naive(image)

    @dsl.pipeline(name="secured")
    def pipeline() -> None:
        model = dsl.importer(artifact_uri=str(model_of(local)), artifact_class=dsl.Model, reimport=False)
        verified = secure(
            model.output, policy=local.root / "policy.yaml", trust=local.root / "trust.yaml", image=Unpinned(image)
        )
        parts.deploy(model=verified)

    return pipeline


def plain(local: Local, gated: Callable[[Naive, Any], None]) -> Any:
    """Return a pipeline that imports the model and gates as the function says."""
    parts = naive(local.steps.image.reference)

    @dsl.pipeline(name="plain")
    def pipeline() -> None:
        gated(parts, dsl.importer(artifact_uri=str(model_of(local)), artifact_class=dsl.Model, reimport=False).output)

    return pipeline


def deployed(local: Local) -> list[bool]:
    """Say of each deployment whether it deployed the evil model."""
    return [(path / "model.pkl").exists() for path in local.files("deployed")]


def after(parts: Naive, model: Any) -> None:
    scan = parts.refusing_scan(model=model)
    parts.deploy(model=model).after(scan).set_caching_options(False)


def test_the_gate_gives_on_a_good_model_and_no_bad_one(local: Local, monkeypatch: pytest.MonkeyPatch) -> None:
    with local_runs(local, monkeypatch):
        secured(local)()
        assert local.ended == [("model-scan", 0), ("sign-model", 0), ("gate", 0), ("task", 0)]
        (copy,) = local.files("deployed")
        assert hash_model(copy) == hash_model(model_of(local))
    make_evil(local)
    with local_runs(local, monkeypatch):
        secured(local)()
    assert deployed(local) == [False]
    assert local.ended[-1] == ("gate", 1)


def test_an_exit_code_that_the_runner_loses_deploys_with_after_and_not_with_us(
    local: Local, monkeypatch: pytest.MonkeyPatch
) -> None:
    make_evil(local)
    honest = local.run_container

    def losing(*arguments: Any, **options: Any) -> int:
        honest(*arguments, **options)
        return 0  # what kfp 2.17 makes of a container that is removed before it is asked

    with local_runs(local, monkeypatch):
        monkeypatch.setattr("kfp.local.docker_task_handler.run_docker_container", losing)
        plain(local, after)()
        assert deployed(local) == [True]
        shutil.rmtree(local.files("deployed")[0])
        # Even when it believes that the gate went well, there is nothing that it could hand to the next task.
        with pytest.raises(ValueError, match="no output named 'verified'"):
            secured(local)()
    assert deployed(local) == []
    assert local.ended[-1] == ("gate", 1)


def test_a_cache_that_knows_uris_deploys_new_bytes_and_not_with_us(
    local: Local, monkeypatch: pytest.MonkeyPatch
) -> None:
    with local_runs(local, monkeypatch, caching=True):
        plain(local, after)()
    assert (deployed(local), len(local.ended)) == ([False], 2)
    make_evil(local)
    with local_runs(local, monkeypatch, caching=True):
        plain(local, after)()
    assert (sorted(deployed(local)), len(local.ended)) == ([False, True], 3)  # deployed, and not scanned again
    for path in local.files("deployed"):
        shutil.rmtree(path)
    with local_runs(local, monkeypatch, caching=True):
        secured(local)()
    assert deployed(local) == []
    assert local.ended[-1] == ("gate", 1)


def test_a_submitter_who_turns_caching_on_gets_no_bad_model(local: Local, monkeypatch: pytest.MonkeyPatch) -> None:
    """``create_run`` can turn caching on for every task; here the compiled pipeline has it on."""
    honest = PipelineTask.set_caching_options
    monkeypatch.setattr(PipelineTask, "set_caching_options", lambda task, *_, **__: honest(task, True))
    with local_runs(local, monkeypatch, caching=True):
        secured(local)()
    assert (deployed(local), len(local.ended)) == ([False], 4)
    make_evil(local)
    with local_runs(local, monkeypatch, caching=True):
        secured(local)()
    # What the cache gives on is the model that was released before, or nothing; never the new bytes.
    assert True not in deployed(local)


def test_a_condition_on_a_named_output_is_skipped_in_silence(local: Local, monkeypatch: pytest.MonkeyPatch) -> None:
    def condition(parts: Naive, model: Any) -> None:
        scan = parts.scan(model=model)
        with dsl.If(scan.outputs["verdict"] == "pass"):
            parts.deploy(model=model)

    with local_runs(local, monkeypatch):
        plain(local, condition)()
        assert deployed(local) == []  # a good model, and the run is called a success
        assert [code for _, code in local.ended] == [0]
        secured(local)()
    assert deployed(local) == [False]
