from __future__ import annotations

import json
from pathlib import Path

import pytest

from weighbridge.errors import ParseError, UsageError, WeighbridgeError
from weighbridge.pipelines import executor
from weighbridge.pipelines.call import from_executor, from_plain
from weighbridge.pipelines.executor import ExecutorInput
from weighbridge.pipelines.spec import STEPS


def message(uri: str = "/m", *, parameters: dict[str, object] | None = None, count: int = 1) -> str:
    model = {"artifacts": [{"name": "model", "uri": uri, "type": {"schemaTitle": "system.Model"}}] * count}
    return json.dumps(
        {
            "inputs": {"artifacts": {"model": model}, "parameterValues": parameters or {"run": "r"}},
            "outputs": {"artifacts": {"measured": {"artifacts": [{"name": "measured", "uri": "/o"}]}}},
        }
    )


@pytest.mark.parametrize(
    ("uri", "path"),
    [
        ("/local/model", "/local/model"),
        ("gs://bucket/a/model", "/gcs/bucket/a/model"),
        ("minio://mlpipeline/v2/model", "/minio/mlpipeline/v2/model"),
        ("s3://bucket/model", "/s3/bucket/model"),
        ("oci://registry/models/m:1", "/oci/registry_models_m:1/models"),
    ],
)
def test_finds_the_bytes_of_an_uri(uri: str, path: str) -> None:
    assert ExecutorInput.parse(message(uri)).input_path("model") == Path(path)


@pytest.mark.parametrize("uri", ["http://example.org/model", "model", "", "file:///model"])
def test_refuses_an_uri_that_no_launcher_mounts(uri: str) -> None:
    with pytest.raises(ParseError, match="no path here"):
        ExecutorInput.parse(message(uri)).input_path("model")


def test_refuses_two_artifacts_where_one_is_meant() -> None:
    with pytest.raises(ParseError, match="2 artifacts; expected one"):
        ExecutorInput.parse(message(count=2)).input_path("model")


def test_an_input_without_artifact_was_not_given() -> None:
    assert ExecutorInput.parse(message(count=0)).input_path("model") is None


def test_refuses_a_placeholder_that_nobody_replaced() -> None:
    with pytest.raises(UsageError, match="not replaced"):
        ExecutorInput.parse("{{$}}")


@pytest.mark.parametrize("text", ["", "[]", "{" * 200, '{"inputs": {"files": {}}}', '{"inputs": {}, "inputs": {}}'])
def test_refuses_what_is_no_message(text: str) -> None:
    with pytest.raises(ParseError):
        ExecutorInput.parse(text)


def test_refuses_more_than_the_limit(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(executor, "MAX_EXECUTOR_INPUT", 10)
    with pytest.raises(ParseError, match="at most 10"):
        ExecutorInput.parse(message())


@pytest.mark.parametrize(
    ("parameters", "why"),
    [({"run": ""}, "needs run"), ({}, "needs run"), ({"run": 1}, "run is int"), ({"run": ["r"]}, "run is list")],
)
def test_refuses_a_parameter_that_is_missing_or_of_another_type(parameters: dict[str, object], why: str) -> None:
    text = message(parameters={**parameters, "other": 1})
    with pytest.raises(WeighbridgeError, match=why):
        from_executor(STEPS["model-scan"], ExecutorInput.parse(text))


@pytest.mark.parametrize("value", [True, 1.5, "7", float(2**70)])
def test_refuses_a_number_that_is_not_whole(value: object) -> None:
    plain = json.loads(message(parameters={"run": "r", "queries": value}))
    plain["inputs"]["artifacts"]["data"] = plain["inputs"]["artifacts"]["model"]
    found = ExecutorInput.parse(json.dumps(plain))
    if value == float(2**70):
        assert (
            from_executor(STEPS["robustness-test"], found).integer("queries") == 2**70
        )  # the check's options refuse it
        return
    with pytest.raises(ParseError, match="queries is"):
        from_executor(STEPS["robustness-test"], found)


def test_a_double_that_is_whole_is_a_whole_number() -> None:
    plain = json.loads(message(parameters={"run": "r", "queries": 7.0}))
    plain["inputs"]["artifacts"]["data"] = plain["inputs"]["artifacts"]["model"]
    assert from_executor(STEPS["robustness-test"], ExecutorInput.parse(json.dumps(plain))).integer("queries") == 7


def test_refuses_a_message_without_a_place_for_an_output() -> None:
    plain = json.loads(message())
    plain["outputs"] = {}
    with pytest.raises(ParseError, match="no place for the output measured"):
        from_executor(STEPS["model-scan"], ExecutorInput.parse(json.dumps(plain)))


def test_refuses_to_keep_metadata_that_has_no_place() -> None:
    with pytest.raises(UsageError, match=r"executor_output\.json"):
        ExecutorInput.parse(message()).write_output({})


def test_plain_paths_need_a_place_for_outputs(tmp_path: Path) -> None:
    with pytest.raises(UsageError, match="no place for its output"):
        from_plain(STEPS["model-scan"], {"model": tmp_path, "run": "r"}, out=None)
    with pytest.raises(UsageError, match="needs --run"):
        from_plain(STEPS["model-scan"], {"model": tmp_path}, out=tmp_path)
