"""Reasons of documents: texts whose meaning depends on a reader that is not known."""

from __future__ import annotations

from typing import Final

from weighbridge.checks.rule import Reason

DOCUMENTS: Final = (
    Reason(
        id="unknown-role",
        title="a document names something like code, and nothing tells what reads it",
        meaning=(
            "In a configuration of Transformers or Keras the value would be judged by the schema. Here no key says "
            "which program reads the document, and some program could import what it names."
        ),
        remedy=(
            "add what says whose it is (`model_type`, `_class_name`, `class_name` and `config` …), rename the key if "
            "it is only a label, or leave the file out of the model"
        ),
    ),
    Reason(
        id="loose-object",
        title="a text is an object in a looser form than JSON",
        meaning="Readers of JSON5, HOCON or JavaScript take it, each in its own way, and what it names was not judged.",
        remedy="write it as JSON: double quotes around keys, no comments, no comma before a closing bracket",
    ),
    Reason(
        id="not-yaml",
        title="the file is called YAML and cannot be read as that to its end",
        meaning="A reader that is more lenient than the one here would see what was not judged.",
        remedy=(
            "mend the line that is named; python -c 'import sys, yaml; yaml.safe_load(open(sys.argv[1]))' FILE shows it"
        ),
    ),
    Reason(
        id="template-not-followed",
        title="what a template does cannot be followed to an end",
        meaning=(
            "Every name and attribute of a template must be known before it is rendered. Here something is put "
            "together "
            "at run time, or grows without a bound that can be seen."
        ),
        remedy=(
            "write names and attributes out, and give loops the length of the messages; or use the tokenizer's default"
        ),
    ),
    Reason(
        id="template-too-long",
        title="a template is longer than is judged",
        meaning="Templates up to 64 kB are followed; the longest known one of a published model has 17 kB.",
        remedy="take comments and unused branches out of the template",
    ),
    Reason(
        id="unknown-backend",
        title="a Triton configuration names a backend whose code is not known",
        meaning=(
            "Triton loads a library of that name and gives it the model. Backends for ONNX, TensorRT, OpenVINO, "
            "TensorFlow, PyTorch and FIL are known to compute what the model says."
        ),
        remedy='serve the model by one of these: `backend: "onnxruntime"` with `model.onnx`',
    ),
)
"""Reasons of documents."""
