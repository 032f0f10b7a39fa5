"""Hostile documents: JSON and YAML that make a library import or call something, and text that is something else."""

from __future__ import annotations

import base64
import json
from typing import Any

from tests.attacks.model_pickles import SYSTEM
from tests.attacks.models import Case

PADDING = {f"hidden_size_{number}": number for number in range(100)}

JSON: dict[str, tuple[str, Any]] = {
    "keras-lambda": ("keras-custom-object", {"class_name": "Lambda", "config": {"function": ["4wEAAAA=", None, None]}}),
    "keras-lambda-nested": (
        "keras-custom-object",
        {"class_name": "Sequential", "config": {"layers": [{"class_name": "Lambda", "config": {}}]}},
    ),
    "keras-module": (
        "keras-custom-object",
        {"module": "subprocess", "class_name": "Popen", "config": {"args": ["true"]}, "registered_name": None},
    ),
    "keras-function": (
        "keras-custom-object",
        {"module": "builtins", "class_name": "function", "config": "exec", "registered_name": "function"},
    ),
    "keras-utils": (
        "keras-custom-object",
        {"module": "keras.utils", "class_name": "get_file", "config": {"origin": "http://x"}, "registered_name": None},
    ),
    "keras-registered": (
        "keras-custom-object",
        {"module": "keras.layers", "class_name": "Dense", "config": {}, "registered_name": "own>Evil"},
    ),
    "keras-vocabulary": (
        "keras-custom-object",
        {"class_name": "StringLookup", "config": {"vocabulary": "/etc/passwd"}},
    ),
    "keras-saved-model-layer": ("keras-custom-object", {"class_name": "TFSMLayer", "config": {"filepath": "x"}}),
    "keras-operator": ("keras-custom-object", {"class_name": "TFOpLambda", "config": {"function": "io.read_file"}}),
    "keras-typed-lambda": ("keras-custom-object", {"class_name": "__lambda__", "config": {"code": "4wEA"}}),
    "hydra": ("code-reference", {"model": {"_target_": "os.system", "command": "true"}}),
    "hydra-deep": ("code-reference", {"a": [{"b": {"_target_": "builtins.exec", "_args_": ["1"]}}]}),
    "hydra-through-library": ("code-reference", {"_target_": "nemo.collections.asr.models.os.system"}),
    "hydra-function": ("code-reference", {"_target_": "torch.hub.load", "_args_": ["x"]}),
    "hydra-beyond-many": ("code-reference", PADDING | {"optimizer": {"_target_": "os.system"}}),
    "nemo-target": ("code-reference", {"target": "evil.models.Model", "params": {"x": 1}}),
    "lightning": ("code-reference", {"model": {"class_path": "subprocess.Popen", "init_args": {"args": "true"}}}),
    "langchain": (
        "code-reference",
        {"lc": 1, "type": "constructor", "id": ["subprocess", "Popen"], "kwargs": {"args": ["true"]}},
    ),
    "langchain-tool": (
        "code-reference",
        {"lc": 1, "type": "constructor", "id": ["langchain_experimental", "utilities", "PythonREPL"], "kwargs": {}},
    ),
    "langchain-secret": ("code-reference", {"lc": 1, "type": "secret", "id": ["AWS_SECRET_ACCESS_KEY"]}),
    "peft-library": (
        "code-reference",
        {"peft_type": "LORA", "auto_mapping": {"base_model_class": "Popen", "parent_library": "subprocess"}},
    ),
    "peft-remote": (
        "code-reference",
        {"peft_type": "LORA", "auto_mapping": {"base_model_class": "M", "parent_library": "transformers_modules.x.y"}},
    ),
    "peft-megatron": ("code-reference", {"peft_type": "LORA", "megatron_core": "evil", "megatron_config": {}}),
    "sentence-transformers": ("code-reference", [{"idx": 0, "name": "0", "path": "", "type": "subprocess.Popen"}]),
    "sentence-transformers-own": (
        "code-reference",
        [
            {"idx": 0, "name": "0", "path": "", "type": "sentence_transformers.models.Transformer"},
            {"idx": 1, "name": "1", "path": "1", "type": "own_module.Evil"},
        ],
    ),
    "jsonpickle-reduce": ("code-reference", {"py/reduce": [{"py/type": "os.system"}, {"py/tuple": ["true"]}]}),
    "jsonpickle-object": ("code-reference", {"a": {"py/object": "subprocess.Popen", "args": "true"}}),
    "jsonpickle-function": ("code-reference", [{"py/function": "os.system"}]),
    "diffusers-part": (
        "code-reference",
        {"_class_name": "StableDiffusionPipeline", "unet": ["my_unet", "EvilModel"], "vae": ["diffusers", "Vae"]},
    ),
    "diffusers-pipeline": ("code-reference", {"_class_name": ["my_pipeline", "Evil"], "_diffusers_version": "0.3"}),
    "transformers-auto-map": ("remote-code", PADDING | {"model_type": "x", "auto_map": {"AutoModel": "m.Evil"}}),
    "transformers-other-repository": ("remote-code", {"auto_map": {"AutoConfig": "other/repo--m.Evil"}}),
    "transformers-trust": ("remote-code", {"model_type": "bert", "trust_remote_code": True}),
    "transformers-trust-number": ("remote-code", PADDING | {"trust_remote_code": 1}),
    "transformers-kernel": ("remote-code", {"model_type": "llama", "_attn_implementation": "someone/kernel"}),
    "transformers-class": ("code-reference", {"model_type": "bert", "architectures": ["os.system"]}),
    "custom-pipelines": ("remote-code", {"custom_pipelines": {"x": {"impl": "p.Evil"}}}),
    "mlflow-loader": ("remote-code", {"flavors": {"python_function": {"loader_module": "evil"}}}),
    "mlflow-code": ("remote-code", {"flavors": {"python_function": {"loader_module": "mlflow.sklearn", "code": "c"}}}),
    "skops": (
        "code-reference",
        {"__class__": "Popen", "__module__": "subprocess", "__loader__": "ObjectNode", "content": {}},
    ),
    "skops-list-that-opens-a-file": (
        "code-reference",
        {"__class__": "memmap", "__module__": "numpy", "__loader__": "ListNode", "content": [], "__id__": 1},
    ),
    "skops-dictionary-that-calls": (
        "code-reference",
        {"__class__": "power", "__module__": "numpy", "__loader__": "DictNode", "content": {}, "key_types": {}},
    ),
    "skops-array-of-a-class": (
        "code-reference",
        {"__class__": "memmap", "__module__": "numpy", "__loader__": "NdArrayNode", "type": "numpy", "file": "a.npy"},
    ),
    "skops-loss-of-a-function": (
        "code-reference",
        {"__class__": "_new_Index", "__module__": "pandas.core.indexes.base", "__loader__": "LossNode"},
    ),
    "skops-method": (
        "code-reference",
        {"__class__": "LogisticRegression", "__module__": "sklearn.linear_model._logistic", "__loader__": "MethodNode"},
    ),
    "skops-reads-files": (
        "code-reference",
        {
            "__class__": "CountVectorizer",
            "__module__": "sklearn.feature_extraction.text",
            "__loader__": "ObjectNode",
            "content": {
                "__class__": "dict",
                "__module__": "builtins",
                "__loader__": "DictNode",
                "content": {
                    "input": {
                        "__class__": "str",
                        "__module__": "builtins",
                        "__loader__": "JsonNode",
                        "content": '"filename"',
                        "is_json": True,
                    },
                },
            },
        },
    ),
    "skops-attributes-that-lie-elsewhere": (
        "code-reference",
        {
            "__class__": "CountVectorizer",
            "__module__": "sklearn.feature_extraction.text",
            "__loader__": "ObjectNode",
            "content": {"__class__": "dict", "__module__": "builtins", "__loader__": "CachedNode", "__id__": 7},
        },
    ),
    "skops-method-as-attribute": (
        "code-reference",
        {
            "__class__": "CountVectorizer",
            "__module__": "sklearn.feature_extraction.text",
            "__loader__": "ObjectNode",
            "content": {
                "__class__": "dict",
                "__module__": "builtins",
                "__loader__": "DictNode",
                "content": {"transform": {"__class__": "str", "__module__": "builtins", "__loader__": "TypeNode"}},
            },
        },
    ),
    "skops-function": (
        "code-reference",
        {"__class__": "function", "__module__": "builtins", "__loader__": "FunctionNode", "content": {}},
    ),
    "module-and-class": ("code-reference", {"module": "subprocess", "class": "Popen", "args": ["true"]}),
    "module-and-function": ("code-reference", {"python_module": "os", "function_name": "x", "function": "system"}),
    "callable-with-colon": ("code-reference", {"callable": "os:system"}),
    "function-in-pieces": ("code-reference", {"fn": ["os", "system"], "args": ["true"]}),
    "path-beside-arguments": ("code-reference", {"step": "os.system", "args": ["true"]}),
    "module-name-and-attribute": ("code-reference", {"module_name": "os", "attr": "system"}),
    "callbacks": ("code-reference", {"callbacks": ["subprocess.call"]}),
    "import": ("code-reference", {"import": "os"}),
    "sentence-transformers-path": (
        "outside-reference",
        [{"idx": 0, "name": "0", "path": "../../x", "type": "sentence_transformers.models.Transformer"}],
    ),
    "wrapped-key": ("code-reference", {"__class__": "os.system"}),
    "lambda-text": ("code-reference", {"model_type": "x", "score_function": "lambda x: __import__('os')"}),
    "duplicate-key": ("code-reference", '{"_target_": "os.system", "_target_": "torch.nn.Linear"}'),
    "escaped-key": ("code-reference", '{"\\u005ftarget_": "\\u006fs.system"}'),
    "pickle-in-base64": (
        "forbidden-global",
        {"data": {":serialized:": base64.b64encode(b"\x80\x02" + SYSTEM).decode()}},
    ),
    "code-in-base64": ("embedded-pickle", {"x": base64.b64encode(b"\xe3" + bytes(40)).decode()}),
    "native-library": ("code-reference", {"model": {"custom_ops_library": "libevil.so"}}),
    "runs-text": ("code-reference", {"function": "eval", "value": "1"}),
    "weight-outside": ("outside-reference", {"weight_map": PADDING | {"w": "../../x.safetensors"}}),
    "tensorflow-js-outside": (
        "outside-reference",
        {"modelTopology": {}, "weightsManifest": [{"paths": ["a.bin"] * 30 + ["http://x/a.bin"], "weights": []}]},
    ),
    "langchain-format-string": (
        "unsafe-template",
        {"_type": "prompt", "template": "{a.__class__.__init__.__globals__}", "template_format": "f-string"},
    ),
    "langchain-file": ("outside-reference", {"_type": "prompt", "template_path": "/etc/passwd.txt"}),
    "langchain-examples": ("outside-reference", {"_type": "few_shot", "examples": "../../x.yaml"}),
    "haystack": ("code-reference", {"components": {"x": {"type": "evil.module.Part", "init_parameters": {}}}}),
    "haystack-unsafe": (
        "code-reference",
        {"type": "haystack.components.converters.output_adapter.OutputAdapter", "init_parameters": {"unsafe": True}},
    ),
    "openmmlab-imports": ("remote-code", {"custom_imports": {"imports": ["evil"]}, "model": {"type": "X"}}),
    "openmmlab-base": ("code-reference", {"_base_": ["base.py"]}),
    "omegaconf-environment": ("code-reference", {"a": "${oc.env:AWS_SECRET_ACCESS_KEY}"}),
    "omegaconf-evaluates": ("code-reference", {"a": {"b": ["x", "${eval:'1'}"]}}),
    "omegaconf-in-many": ("code-reference", PADDING | {"x": "${oc.env:HOME}"}),
    "rasa": ("code-reference", {"language": "en", "pipeline": [{"name": "evil.module.Component"}]}),
    "autogen": ("code-reference", {"provider": "evil.tools.Tool", "component_type": "tool", "config": {}}),
    "autogen-through": ("code-reference", {"provider": "autogen_core.os.X", "config": {}}),
    "mlserver": ("code-reference", {"name": "x", "implementation": "evil.Model"}),
    "custom-pipeline": ("remote-code", {"_class_name": "X", "custom_pipeline": "someone/x"}),
    "diffusers-type-hint": ("code-reference", {"unet": [None, None, {"repo": "x", "type_hint": ["evil", "Model"]}]}),
    "sentence-transformers-router": ("code-reference", {"types": {"a": "evil.Module"}, "structure": {"a": ["x"]}}),
    "genai-outside": ("outside-reference", {"model": {"decoder": {"filename": "../../x.onnx", "head_size": 1}}}),
    "ultralytics-download": ("code-reference", {"train": "a", "val": "b", "download": "import os\nos.getcwd()\n"}),
    "logging-factory": ("code-reference", {"handlers": {"x": {"()": "evil.Handler"}}}),
    "logging-external": ("code-reference", {"handlers": {"x": {"stream": "ext://evil.stream"}}}),
    "logging-file": ("code-reference", {"handlers": {"x": {"class": "logging.FileHandler", "filename": "/etc/x.log"}}}),
    "expression": ("code-reference", {"model_type": "x", "act": "__import__('os').system('true')"}),
    "expression-in-array": ("code-reference", {"model_type": "x", "layers": [["__import__('os').getcwd()"]]}),
    "template-under-any-key": ("unsafe-template", {"greeting": "{{ ''.__class__ }}"}),
    "template-in-a-list": ("unsafe-template", ["x"] * 40 + ["{{ ''.__class__ }}"]),
    "template-of-many": ("unsafe-template", {"chat_template": [{"name": "rag", "template": "{{ ''.__class__ }}"}]}),
    "template-that-includes": ("template-other-file", {"chat_template": "{% include '/etc/passwd' %}"}),
}

YAML: dict[str, tuple[str, str, str]] = {
    "tag-apply": ("yaml-tag", "conda.yaml", "a: !!python/object/apply:os.system ['true']\n"),
    "tag-name": ("yaml-tag", "a.yml", "a: !!python/name:os.system\n"),
    "tag-object": ("yaml-tag", "a.yaml", "- !!python/object:x.Y {}\n"),
    "tag-own": ("yaml-tag", "a.yaml", "a: !Evil x\n"),
    "tag-by-handle": (
        "yaml-tag",
        "a.yaml",
        "%TAG !p! tag:yaml.org,2002:python/\n---\na: !p!object/apply:os.system [x]\n",
    ),
    "tag-verbatim": ("yaml-tag", "a.yaml", "a: !<tag:yaml.org,2002:python/name:os.system> x\n"),
    "tag-in-second-document": ("yaml-tag", "a.yaml", "a: 1\n---\nb: !!python/name:os.system\n"),
    "loader-module": ("remote-code", "MLmodel", "flavors:\n  python_function:\n    loader_module: evil\n"),
    "model-code": (
        "remote-code",
        "MLmodel",
        "flavors:\n  python_function:\n    loader_module: mlflow.pyfunc.model\n    model_code_path: agent.py\n",
    ),
    "hydra": ("code-reference", "model_config.yaml", "encoder:\n  _target_: os.system\n  command: 'true'\n"),
    "hydra-by-alias": ("code-reference", "c.yaml", "x: &a os.system\nm:\n  _target_: *a\n"),
    "hydra-by-merge": (
        "code-reference",
        "c.yaml",
        "x: &a {module: subprocess, class: Popen}\nm:\n  <<: *a\n  args: [a]\n",
    ),
    "target": ("code-reference", "c.yaml", "model:\n  target: evil.module.Model\n  params: {}\n"),
    "template": ("unsafe-template", "c.yaml", "chat_template: \"{{ ''.__class__ }}\"\n"),
}

TEXT: dict[str, tuple[str, str, bytes]] = {
    "page": ("code-in-model", "README.md", b"<!DOCTYPE html><html></html>\n"),
    "page-after-space": ("code-in-model", "notes.txt", b"\n\n  <HTML>\n"),
    "script": ("code-in-model", "README.md", b"# Model\n\n<script>alert(1)</script>\n"),
    "script-far": ("code-in-model", "notes.txt", b"a" * (1 << 18) + b"<script src=x>"),
    "script-across-pieces": ("code-in-model", "notes.txt", b"a" * ((1 << 18) - 4) + b"<script src=x>"),
    "event": ("code-in-model", "README.md", b"# x\n<img src=x onerror=alert(1)>\n"),
    "event-of-a-drawing": ("code-in-model", "notes.txt", b"x <svg/onload=alert(1)>"),
    "link-that-runs": ("code-in-model", "README.md", b"[a](javascript:alert(1))"),
    "yaml-without-ending": ("yaml-tag", "settings", b"a: !!python/object/apply:os.system ['true']\n"),
    "yaml-as-text": ("code-reference", "settings.txt", b"model:\n  _target_: os.system\n"),
    "template-without-ending": ("unsafe-template", "prompt", b"{{ ''.__class__ }}"),
    "json-after-two-marks": ("code-reference", "c.json", b'\xef\xbb\xbf\xef\xbb\xbf{"_target_": "os.system"}'),
    "json-after-a-comment": ("code-reference", "c.json", b'// x\n{"_target_": "os.system"}'),
    "json-after-a-feed": ("code-reference", "c.json", b'\x0c{"_target_": "os.system"}'),
    "json-with-single-quotes": ("code-reference", "c.json", b"{'_target_': 'os.system'}"),
    "php": ("code-in-model", "notes.txt", b"a <?php system('x'); ?>\n"),
}


WIDE: dict[str, bytes] = {
    encoding: '{"_target_": "os.system"}'.encode(encoding)
    for encoding in ["utf-16", "utf-16-le", "utf-16-be", "utf-32", "utf-32-le", "utf-32-be"]
}


def _text(content: object) -> bytes:
    return (content if isinstance(content, str) else json.dumps(content)).encode()


def expected() -> list[tuple[Case, str]]:
    """Return each with the rule that has to find it."""
    found = [(Case("documents", f"json-{name}", "some.json", _text(data)), rule) for name, (rule, data) in JSON.items()]
    found += [
        (Case("documents", f"yaml-{name}", file, text.encode()), rule) for name, (rule, file, text) in YAML.items()
    ]
    found += [(Case("documents", f"text-{name}", file, data), rule) for name, (rule, file, data) in TEXT.items()]
    found += [(Case("documents", f"wide-{name}", "c.json", data), "code-reference") for name, data in WIDE.items()]
    return found


def cases() -> list[Case]:
    """Return all of them."""
    return [case for case, _ in expected()]
