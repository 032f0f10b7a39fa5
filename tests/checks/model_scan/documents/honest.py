"""Documents as honest libraries write them, in their shapes and with their awkward values."""

from __future__ import annotations

import json
from typing import Any

JSON: dict[str, Any] = {
    "transformers": {
        "_name_or_path": "org/model",
        "architectures": ["LlamaForCausalLM"],
        "model_type": "llama",
        "hidden_act": "silu",
        "torch_dtype": "float32",
        "transformers_version": "4.31.0",
        "rope_scaling": {"type": "linear", "factor": 2.0},
        "id2label": {"0": "os.system", "1": "LABEL_1"},
        "layer_norm_eps": 1e-12,
        "use_cache": True,
        "_attn_implementation": "sdpa",
        "dtype": "torch.float16",
        "auto_map": None,
        "trust_remote_code": False,
        "quantization_config": {"quant_method": "awq", "modules_to_not_convert": ["visual.merger", "lm_head"]},
    },
    "tokenizer": {
        "version": "1.0",
        "truncation": None,
        "added_tokens": [
            {"id": 0, "content": "os.system", "special": True},
            {"id": 1, "content": "{{", "special": False},
        ],
        "pre_tokenizer": {"type": "ByteLevel", "add_prefix_space": False},
        "post_processor": {"type": "TemplateProcessing", "single": [{"SpecialToken": {"id": "<s>", "type_id": 0}}]},
        "model": {
            "type": "BPE",
            "vocab": {"__init__": 0, "os.system": 1, "_target_": 2, "py/object": 3, "{%": 4},
            "merges": ["o s", "os .system", "{ {"],
        },
    },
    "unigram": {
        "model": {"type": "Unigram", "vocab": [["os.system", -1.5], ["__class__", -2]] * 40},
        "added_tokens": [],
    },
    "tokenizer_config": {
        "tokenizer_class": "LlamaTokenizerFast",
        "model_max_length": 1000000000000000019884624838656,
        "added_tokens_decoder": {"0": {"content": "<unk>", "special": True}},
        "bos_token": "<s>",
        "chat_template": "{% for m in messages %}{{ m.role + ': __USER__ ' + m['content'] }}{% endfor %}",
    },
    "special_tokens_map": {"bos_token": "<s>", "unk_token": "os.system", "additional_special_tokens": ["<a>"]},
    "vocab": {"<s>": 0, "os.system": 1, "trust": 2, "function": 3, "\ud83d": 4},
    "words": ["os.system", "subprocess.Popen", "{", "gAAA", "4w"] * 30,
    "generation": {"bos_token_id": 1, "eos_token_id": [2, 3], "temperature": 0.6, "transformers_version": "4.40.0"},
    "adapter": {
        "peft_type": "LORA",
        "auto_mapping": None,
        "base_model_name_or_path": "org/model",
        "task_type": "CAUSAL_LM",
        "target_modules": ["self_attn.q_proj", "mlp.up_proj"],
        "megatron_core": "megatron.core",
        "megatron_config": None,
    },
    "adapter_of_encoder": {
        "peft_type": "LORA",
        "target_modules": ".*attention.self.(query|key)$",
        "auto_mapping": {"base_model_class": "BertModel", "parent_library": "transformers.models.bert.modeling_bert"},
    },
    "model_index": {
        "_class_name": "StableDiffusionPipeline",
        "_diffusers_version": "0.30.0",
        "feature_extractor": [None, None],
        "safety_checker": ["stable_diffusion", "StableDiffusionSafetyChecker"],
        "requires_safety_checker": True,
        "unet": ["diffusers", "UNet2DConditionModel"],
        "text_encoder": ["transformers", "CLIPTextModel"],
    },
    "unet": {"_class_name": "UNet2DConditionModel", "down_block_types": ["CrossAttnDownBlock2D", "DownBlock2D"]},
    "modules": [
        {"idx": 0, "name": "0", "path": "", "type": "sentence_transformers.models.Transformer"},
        {"idx": 1, "name": "1", "path": "1_Pooling", "type": "sentence_transformers.models.Pooling"},
        {"idx": 2, "name": "2", "path": "2_N", "type": "sentence_transformers.base.modules.normalize.Normalize"},
    ],
    "keras": {
        "module": "keras.src.models.functional",
        "class_name": "Functional",
        "registered_name": "Functional",
        "config": {
            "layers": [
                {
                    "module": "keras.layers",
                    "class_name": "Dense",
                    "registered_name": None,
                    "config": {
                        "units": 3,
                        "activation": "softmax",
                        "dtype": {
                            "module": "keras",
                            "class_name": "DTypePolicy",
                            "config": {"name": "float32"},
                            "registered_name": None,
                        },
                    },
                },
            ]
        },
    },
    "keras_two": {
        "class_name": "Sequential",
        "keras_version": "2.13.1",
        "config": {"layers": [{"class_name": "InputLayer", "config": {"batch_input_shape": [None, 4]}}]},
    },
    "tensorflow_js": {
        "format": "layers-model",
        "modelTopology": {"keras_version": "2", "model_config": {"class_name": "Sequential", "config": {"layers": []}}},
        "weightsManifest": [{"paths": ["group1-shard1of1.bin"], "weights": []}],
    },
    "langchain": {
        "lc": 1,
        "type": "constructor",
        "id": ["langchain_core", "prompts", "prompt", "PromptTemplate"],
        "kwargs": {"template": "Say {word}", "input_variables": ["word"]},
    },
    "spacy": {
        "lang": "en",
        "name": "x",
        "spacy_version": ">=3.8",
        "pipeline": ["tok2vec"],
        "url": "https://a.b",
        "description": "Types and classes",
        "license": "MIT",
    },
    "xgboost": {
        "learner": {"objective": {"name": "binary:logistic"}, "gradient_booster": {"name": "gbtree"}},
        "version": [3, 2, 0],
    },
    "lightgbm": {"name": "tree", "version": "v4", "objective": "binary sigmoid:1", "tree_info": []},
    "catboost": {"oblivious_trees": [], "model_info": {"params": {"loss_function": {"type": "RMSE"}}}},
    "index": {
        "metadata": {"total_size": 5},
        "weight_map": {f"a.{n}.weight": "model-00001.safetensors" for n in range(200)},
    },
    "plain": {
        "name": "os",
        "version": "1.2.3",
        "file": "model.safetensors",
        "url": "https://example.com/a.b",
        "mime_type": "vnd.apache.arrow.file",
        "text": "a {{ b }} c",
        "broken": "{{\\bf x}}",
        "half": "{%",
    },
    "skops-estimator": {
        "__class__": "StandardScaler",
        "__module__": "sklearn.preprocessing._data",
        "__loader__": "ObjectNode",
        "content": {
            "__class__": "dict",
            "__module__": "builtins",
            "__loader__": "DictNode",
            "content": {
                "copy": {
                    "__class__": "str",
                    "__module__": "builtins",
                    "__loader__": "JsonNode",
                    "content": "true",
                    "is_json": True,
                    "__id__": 1,
                },
                "mean_": {
                    "__class__": "ndarray",
                    "__module__": "numpy",
                    "__loader__": "NdArrayNode",
                    "type": "numpy",
                    "file": "1.npy",
                    "__id__": 2,
                },
            },
            "key_types": {
                "__class__": "list",
                "__module__": "builtins",
                "__loader__": "ListNode",
                "content": [{"__class__": "str", "__module__": "builtins", "__loader__": "TypeNode", "__id__": 3}],
            },
        },
        "__id__": 4,
        "protocol": 2,
        "_skops_version": "0.16.0",
    },
    "skops": {"__class__": "dict", "__module__": "builtins", "__loader__": "DictNode", "content": {}},
}

YAML: dict[str, str] = {
    "MLmodel": """artifact_path: model
flavors:
  python_function:
    env: {conda: conda.yaml, virtualenv: python_env.yaml}
    loader_module: mlflow.sklearn
    model_path: model.pkl
    predict_fn: predict
    python_version: 3.11.7
  sklearn: {code: null, pickled_model: model.pkl, serialization_format: cloudpickle}
mlflow_version: 3.1.0
signature:
  inputs: '[{"type": "double", "name": "x", "required": true}]'
""",
    "conda.yaml": "channels:\n- conda-forge\ndependencies:\n- python=3.11.7\n- pip:\n  - mlflow==3.1\nname: e\n",
    "python_env.yaml": "python: 3.11.7\nbuild_dependencies:\n- pip==23.2.1\ndependencies:\n- -r requirements.txt\n",
    "nemo.yaml": """sample_rate: 16000
target: nemo.collections.asr.models.EncDecCTCModel
preprocessor:
  _target_: nemo.collections.asr.modules.AudioToMelSpectrogramPreprocessor
  sample_rate: ${sample_rate}
optim: {_target_: torch.optim.AdamW, lr: 1.0e-3}
""",
    "anchors.yml": "base: &b {a: 1, b: yes}\nmore:\n  <<: *b\n  c: !!str 5\n",
    "two.yaml": "a: 1\n---\nb: [x, y]\n...\n",
    "comment.yaml": "# only a comment\n",
}

TEMPLATES: dict[str, str] = {
    "macro-before-its-call": "{% macro m(d) %}{% for k in d if k not in ['a'] %}{{ d[k] }}{% endfor %}{% endmacro %}"
    "{{ m(tools[0]) }}",
    "format-of-an-item": "{% macro m(p) %}{{ p['format'] }}{% endmacro %}"
    "{% for k, v in x.items() %}{{ m(v) }}{% endfor %}",
    "set-in-both-branches": "{% if tools %}{% set k = 'a' %}{% elif x %}{% set k = 'c' %}{% else %}{% set k = 'b' %}"
    "{% endif %}{{ message[k] }}",
    "plain": "{% for m in messages %}<|{{ m.role }}|>{{ m['content'] | trim }}{% endfor %}__USER__",
    "indices": "{% for m in messages %}{% if loop.index0 % 2 == 0 and messages[loop.index0 - 1] %}{{ messages[-1] }}"
    "{% endif %}{% endfor %}{{ messages[1:][0] }}",
    "keys": "{% for k in message %}{{ message[k] }}{% endfor %}{% for f in ['a','b'] %}{{ p[f] }}{% endfor %}",
    "namespace": "{% set ns = namespace(found=false, text='') %}{% for m in messages %}"
    "{% set ns.text = ns.text ~ m.content %}"
    "{% endfor %}{{ ns.text.split('</think>')[-1].lstrip('\\n') }}",
    "macro": "{% macro kind(s) %}{% if s.type == 'array' %}{{ kind(s['items']) }}[]{% else %}{{ s.type }}{% endif %}"
    "{% endmacro %}{{ kind(tools[0].parameters) }}",
    "map": "{% set types = {'string': 'str', 'number': 'float'} %}{{ types[s.type] if s.type in types else 'any' }}",
    "filters": "{{ tools | map(attribute='function.name') | join(', ') }}"
    "{{ messages | selectattr('role', 'equalto', 'user') | list | length }}{{ d | tojson(indent=4) }}",
    "format": "{{ '<|{}|>'.format(role) }}{{ '%s: %d' % (name, 3) }}{{ '    ' * depth }}",
    "prefix": "{{ message['tool_' ~ name] }}",
    "generation": "{% generation %}{{ m.content }}{% endgeneration %}",
    "control": "{% for m in messages %}{% if m.skip %}{% continue %}{% endif %}{% break %}{% endfor %}",
    "functions": "{% if strftime_now is defined %}{{ strftime_now('%d') }}{% endif %}{{ raise_exception('no') }}",
    "append": "{% set l = [] %}{% for m in messages %}{% set _ = l.append(m.content) %}{% endfor %}{{ l | join }}",
    "range": "{% for i in range(messages | length) %}{{ messages[i].role }}{% endfor %}",
    "set-block": "{% set x %}a{{ b }}{% endset %}{{ x | upper }}",
}


def json_bytes(name: str) -> bytes:
    """Return one of the JSON documents as Python writes it."""
    return json.dumps(JSON[name]).encode()
