"""The short form of ``make strangers``: the folders that need nothing but scikit-learn, and those laid out by hand."""

from __future__ import annotations

import json
from pathlib import Path

import pytest

from tests.attacks.model_files import node, onnx, safetensors, tensor
from tests.strangers.expected import EXPECTED, Expected
from tests.strangers.recipes import by_hand, sklearn_models
from weighbridge.cli import execute

STATES = {0: "passed", 1: "failed", 2: "undecided"}
TEMPLATE = "{% for m in messages %}<|{{ m['role'] }}|>{{ m['content'] | trim }}</s>{% endfor %}"
HERE = frozenset({
    "sklearn-joblib", "sklearn-joblib-compressed", "sklearn-without-ending", "sklearn-pickle", "sklearn-text-labels",
    "with-a-virtual-environment", "hub-cache", "triton", "hostile-sklearn-pickle", "hostile-joblib", "hostile-triton",
})  # fmt: skip


@pytest.fixture(scope="module")
def folder(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """Write the folders once."""
    made = tmp_path_factory.mktemp("strangers")
    sklearn_models.main(made)
    hub = made / "hugging-face"
    hub.mkdir()
    (hub / "config.json").write_text(json.dumps({"model_type": "llama", "architectures": ["LlamaForCausalLM"]}))
    (hub / "tokenizer_config.json").write_text(json.dumps({"tokenizer_class": "PreTrainedTokenizerFast"}))
    (hub / "model.safetensors").write_bytes(safetensors({"a": tensor(0, 2)}, bytes(2)))
    (hub / "chat_template.jinja").write_text(TEMPLATE)
    (hub / ".gitattributes").write_text("*.safetensors filter=lfs diff=lfs merge=lfs -text\n")
    graph = made / "onnx-external-data"
    graph.mkdir()
    (graph / "m.onnx").write_bytes(onnx(node("Relu")))
    by_hand.main(made)
    return made


@pytest.mark.parametrize("one", [one for one in EXPECTED if one.folder in HERE], ids=lambda one: one.folder)
def test_says_what_is_right(one: Expected, folder: Path, capsys: pytest.CaptureFixture[str]) -> None:
    code = execute(["scan", str(folder / one.folder / one.inside), "--format", "json"])
    said = "".join(capsys.readouterr())
    assert STATES[code] == one.state, said
    assert one.said in said
