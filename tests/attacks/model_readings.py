"""Hostile siblings of what is plain data: UBJSON, Triton's configuration, dill's arrays, a Trainer's arguments."""

from __future__ import annotations

import base64
from collections.abc import Iterator

from tests.attacks.model_containers import archive, torch_archive
from tests.attacks.model_pickles import SYSTEM, name0, name4
from tests.attacks.model_typed import HEAD, NO, NONE, YES, call, made, many, number, raw, row, table, text
from tests.attacks.models import Case

ARGUMENTS = name4("transformers.training_args", "TrainingArguments")
STRATEGY = name4("transformers.trainer_utils", "IntervalStrategy")
WRAPPER = name4("dill._dill", "_create_array")
REBUILD = name4("numpy._core.multiarray", "_reconstruct")


def sized(value: str | bytes) -> bytes:
    """Write a text of UBJSON without its marker: a length of 64 bits and the text."""
    content = value.encode() if isinstance(value, str) else value
    return b"L" + len(content).to_bytes(8, "big") + content


def string(value: str | bytes) -> bytes:
    """Write a string."""
    return b"S" + sized(value)


def members(**values: bytes) -> bytes:
    """Write an object."""
    return b"{" + b"".join(sized(key) + value for key, value in values.items()) + b"}"


def items(*values: bytes) -> bytes:
    """Write an array of any values."""
    return b"[#L" + len(values).to_bytes(8, "big") + b"".join(values)


def floats(content: bytes) -> bytes:
    """Write an array of floats."""
    return b"[$d#L" + (len(content) // 4).to_bytes(8, "big") + content


def booster(**more: bytes) -> bytes:
    """Write a model as XGBoost does, with more members in its learner."""
    trees = items(members(base_weights=floats(bytes(400)), id=b"i\x00", split_type=b"[$U#L" + bytes(8)))
    model = members(gbtree_model_param=members(num_trees=string("1")), trees=trees, flags=items(b"T", b"F", b"Z"))
    learner = members(
        attributes=members(),
        feature_names=items(string("f0"), string("größe")),
        gradient_booster=members(model=model, name=string("gbtree")),
        **more,
    )
    return members(learner=learner, version=items(b"i\x03", b"I\x00\x02", b"l\x00\x00\x00\x00"))


def _at_1024(signature: bytes) -> bytes:
    """Write a model with a text whose end, the signature, begins at byte 1024."""
    place = booster(notes=floats(signature)).index(signature)
    return booster(notes=floats(bytes(1024 - place) + signature))


def _ubjson() -> Iterator[tuple[str, bytes]]:
    whole = booster()
    yield "pickle-behind", whole + SYSTEM
    yield "zip-behind", whole + archive({"a.py": b"print(1)"})
    yield "zip-inside", booster(notes=string(archive({"a.py": b"print(1)"}))) + bytes(0)
    yield "hdf5-inside", _at_1024(b"\x89HDF\r\n\x1a\n")
    yield "names-code", members(_target_=string("os.system"), learner=members(), version=items())
    yield "remote-code", booster(auto_map=members(AutoModel=string("m.Evil")))
    yield "template", booster(chat_template=string("{{ ''.__class__ }}"))
    yield "pickle-in-text", booster(notes=string(base64.b64encode(b"\x80\x04" + name4("os", "system") + b"N\x85R.")))
    yield "cut", whole[:-3]
    yield "array-too-long", members(learner=b"[$d#L" + (1 << 39).to_bytes(8, "big"), version=items())
    yield "length-too-long", members(learner=b"SL" + (1 << 62).to_bytes(8, "big"), version=items())
    yield "negative-length", members(learner=b"SL" + (-1).to_bytes(8, "big", signed=True), version=items())
    yield "no-utf-8", booster(notes=string(b"\xff\xfe"))
    yield "texts-of-one-type", members(learner=b"[$S#L" + (1).to_bytes(8, "big") + sized("a"), version=items())
    yield "objects-of-one-type", members(learner=b"[${#L" + (1).to_bytes(8, "big") + b"}", version=items())
    yield "counted-object", members(learner=b"{#L" + bytes(8), version=items())
    yield "no-operation", members(learner=b"N", version=items())
    yield "array-without-count", members(learner=b"[i\x01]", version=items())
    yield "short-length", members(learner=b"Si\x01a", version=items())


def _triton() -> Iterator[tuple[str, str]]:
    yield "python", 'name: "m"\nbackend: "python"\n'
    yield "python-in-pieces", "backend: \"py\" 'thon'\n"
    yield "python-escaped", 'backend: "\\x70yth\\157n"\n'
    yield (
        "environment",
        'backend: "onnxruntime"\nparameters { key: "EXECUTION_ENV_PATH" value { string_value: "e.tgz" } }',
    )
    yield "environment-in-list", 'parameters: [ { key: "execution_env_path", value: < string_value: "e.tgz" > } ]'
    yield "extension", 'backend: "openvino" parameters { key: "CPU_EXTENSION_PATH" value { string_value: "a" } }'
    yield "operators", 'platform: "tensorflow_graphdef" model_operations { op_library_filename: ["/tmp/op.bin"] }'
    yield "agent", 'model_repository_agents { agents [ { name: "decrypt" } ] }'
    yield "runtime", 'backend: "pytorch" runtime: "model.py"'
    yield "outside", 'default_model_filename: "../../../etc/model.onnx"'
    yield "program", 'default_model_filename: "model.py"'
    yield "outside-by-capability", 'cc_model_filenames { key: "7.5" value: "/etc/model.plan" }'
    yield "template", "name: \"{{ ''.__class__ }}\""


def array_state(content: bytes = raw(bytes(24)), *, kind: str = "f8") -> tuple[bytes, bytes]:
    """Return what dill's wrapper is given for an array of three numbers: what is called with, and the state."""
    code = call(name4("numpy", "dtype"), text(kind), NO, YES)
    dtype = code + row(number(3), text("<"), NONE, NONE, NONE, number(-1), number(-1), number(0)) + b"b"
    if kind == "O8":
        dtype = code + row(number(3), text("|"), NONE, NONE, NONE, number(-1), number(-1), number(63)) + b"b"
    given = row(name4("numpy", "ndarray"), row(number(0)), raw(b"b"))
    return given, row(number(1), row(number(3)), dtype, NO, content)


def _dill() -> Iterator[tuple[str, bytes]]:
    given, state = array_state()
    yield "another-function", call(WRAPPER, name4("numpy", "dtype"), given, state, NONE)
    yield "system", call(WRAPPER, name4("os", "system"), row(text("true")), state, NONE)
    yield "memmap-called", call(WRAPPER, name4("numpy", "memmap"), row(text("victim")), state, NONE)
    yield "partial", call(WRAPPER, call(name4("functools", "partial"), REBUILD), given, state, NONE)
    yield "attributes", call(WRAPPER, REBUILD, given, state, table(__setstate__=number(1)))
    yield "list-of-attributes", call(WRAPPER, REBUILD, given, state, many())
    yield "short-data", call(WRAPPER, REBUILD, given, array_state(raw(bytes(8)))[1], NONE)
    yield "addresses", call(WRAPPER, REBUILD, given, array_state(kind="O8")[1], NONE)
    yield "file", call(WRAPPER, REBUILD, row(name4("numpy", "memmap"), row(text("v")), raw(b"b")), state, NONE)
    yield "three-arguments-cut", call(WRAPPER, REBUILD, given)
    yield "kept", many(WRAPPER)


def arguments(**values: bytes) -> bytes:
    """Make the arguments of a training with these attributes."""
    return made(ARGUMENTS, table(output_dir=text("out"), **values))


def _training() -> Iterator[tuple[str, bytes]]:
    yield "planted-function", arguments(eval_strategy=name4("numpy", "log1p"))
    yield "planted-system", arguments(eval_strategy=name4("os", "system"))
    yield "planted-type", arguments(device=name4("numpy", "memmap"))
    yield "planted-class", arguments(device=name4("sklearn.linear_model._logistic", "LogisticRegression"))
    yield "planted-in-a-list", arguments(report_to=many(name4("numpy", "log1p")))
    yield "planted-partial", arguments(f=call(name4("functools", "partial"), name4("numpy", "log1p")))
    yield "planted-estimator", arguments(f=made(name4("sklearn.linear_model._logistic", "LogisticRegression")))
    yield "method-of-all", arguments(__setstate__=number(1))
    yield "class-of-all", arguments(__class__=text("x"))
    yield "second-state", arguments() + table(a=number(1)) + b"b"
    yield "state-is-an-object", made(ARGUMENTS, call(name4("collections", "OrderedDict")))
    yield "state-with-slots", made(ARGUMENTS, row(NONE, table(a=number(1))))
    yield "made-with-arguments", ARGUMENTS + row(text("out")) + b"\x81"
    yield "called", call(ARGUMENTS, text("out"))
    yield "enum-of-two", call(STRATEGY, text("no"), text("steps"))
    yield "enum-of-names", call(STRATEGY, many(text("a")))
    yield "enum-of-nothing", call(STRATEGY)
    yield "enum-made", made(STRATEGY)
    yield "enum-with-state", call(STRATEGY, text("no")) + table(a=number(1)) + b"b"
    yield "enum-kept", many(STRATEGY)
    yield "other-class", made(name4("transformers.trainer", "Trainer"), table(a=number(1)))


def _texts() -> Iterator[tuple[str, bytes]]:
    model = b"tree\nversion=v4\nnum_class=1\nfeature_names=a b\n\nend of trees\n"
    yield "lightgbm-and-pickle", SYSTEM[:-1] + b"0" + model.replace(b"tree", b"N.tree", 1)
    yield (
        "lightgbm-behind-a-pickle",
        b"V" + model.replace(b"\n", b" ") + b"\n0" + name0("os", "system") + b"(S'true'\ntR.",
    )
    yield "lightgbm-with-template", model + b"{{ ''.__class__.__mro__ }}\n"


def cases() -> list[Case]:
    """Return every case."""
    found = [Case("ubjson", name, "m.ubj", content) for name, content in _ubjson()]
    found += [Case("triton", name, "config.pbtxt", content.encode()) for name, content in _triton()]
    found += [Case("typed-dill", name, "m.pkl", HEAD + content + b".") for name, content in _dill()]
    for name, content in _training():
        found.append(Case("typed-training", name, "training_args.bin", torch_archive(HEAD + content + b".")))
    found += [Case("texts", name, "lgb.txt", content) for name, content in _texts()]
    found.append(Case("files", "triton-unknown-backend", "config.pbtxt", b'backend: "vllm"\n'))
    found.append(
        Case("files", "triton-path", "config.pbtxt", b'parameters { key: "plugin_path" value { string_value: "a" } }')
    )
    found.append(Case("files", "pbtxt-of-tensorflow", "saved_model.pbtxt", b"meta_graphs { graph_def { } }\n"))
    found.append(Case("files", "pbtxt-with-extension", "config.pbtxt", b"[a.b]: 1\n"))
    found.append(Case("dos", "deep-ubjson", "m.ubj", sized_deep(300)))
    return found


def sized_deep(levels: int) -> bytes:
    """Write arrays in arrays."""
    return members(a=b"[#L" + (1).to_bytes(8, "big"))[:-1] + (b"[#L" + (1).to_bytes(8, "big")) * levels + b"Z}"


def siblings() -> list[Case]:
    """Return honest files built of the same parts."""
    given, state = array_state()
    strategy = call(STRATEGY, text("steps"))
    inner = made(name4("accelerate.state", "PartialState"), table(_cpu=YES, backend=NONE))
    whole = arguments(
        eval_strategy=strategy, report_to=many(text("tensorboard")), distributed_state=inner, lr=number(3)
    )
    triton = (
        '# served\nname: "m"\nplatform: "onnxruntime_onnx"\nmax_batch_size: 8\n'
        'input [ { name: "x.1" data_type: TYPE_FP32 dims: [ -1, 4 ] } ]\n'
        'output { name: "y"; data_type: TYPE_FP32, dims: 2 label_filename: "labels.txt" }\n'
        "instance_group [ { count: 2 kind: KIND_CPU } ]\nversion_policy: < latest { num_versions: 1 } >\n"
        'optimization { execution_accelerators { gpu_execution_accelerator : [ { name : "tensorrt" parameters '
        '{ key: "precision_mode" value: "FP16" } } ] } }\nparameters { key: "intra_op_thread_count" value '
        '{ string_value: "2" } }\n'
    )
    return [
        Case("ubjson", "honest", "m.ubj", booster()),
        Case("triton", "honest", "config.pbtxt", triton.encode()),
        Case("typed-dill", "honest", "m.pkl", HEAD + call(WRAPPER, REBUILD, given, state, NONE) + b"."),
        Case("typed-training", "honest", "training_args.bin", torch_archive(HEAD + whole + b".")),
    ]
