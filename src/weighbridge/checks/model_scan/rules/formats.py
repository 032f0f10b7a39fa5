"""Rules of formats that hold numbers and graphs, and of what a file is at all."""

from __future__ import annotations

from typing import Final

from weighbridge.checks.model_scan.rules.remedies import FETCH
from weighbridge.checks.rule import Rule
from weighbridge.evidence.record import Severity

FORMATS: Final = (
    Rule(
        id="format-mismatch",
        title="the file is not what its name says",
        meaning=(
            "Programs choose a reader by the name or by the first bytes. A pickle called `weights.txt`, or a text that "
            "is a pickle as well, is harmless to the one and runs code in the other. It is critical when the other "
            "reading calls something."
        ),
        remedy="give the file the extension of its format, or find out why it has another one",
        cwe=(434, 436),
    ),
    Rule(
        id="second-reading",
        title="the bytes are two files at once",
        meaning=(
            "The bytes were judged as one format, and a reader of another takes them for its own: an ONNX model that "
            "is also a pickle, a text whose first line an unpickler skips, an archive behind an image. A scanner sees "
            "the harmless one and the loader opens the other."
        ),
        remedy="do not load the file, and find out who made it; save the model again in one format",
        severity=Severity.CRITICAL,
        cwe=(434, 436),
    ),
    Rule(
        id="code-in-model",
        title="a program lies in the model",
        meaning=(
            "A script, a library or a notebook beside the weights is run by whoever follows the model's instructions, "
            "or by a loader that looks for it."
        ),
        remedy="remove it: a model holds numbers and configuration; code belongs into a reviewed package",
        severity=Severity.CRITICAL,
        cwe=(829,),
    ),
    Rule(
        id="missing-large-file",
        title="a pointer of Git LFS stands where a file should be",
        meaning="The model itself was not downloaded, so there is nothing to judge.",
        remedy="fetch the file with `git lfs pull`, or download the model with a client that fetches large files",
    ),
    Rule(
        id="malformed-npy",
        title="an array file breaks the rules of its format",
        meaning=(
            "The header is no literal of exactly the known keys, or the size is not what shape and type say. numpy "
            "evaluates the header; odd ones were bombs and crashes."
        ),
        remedy=FETCH,
        cwe=(228,),
    ),
    Rule(
        id="malformed-safetensors",
        title="a safetensors file breaks the rules of its format",
        meaning=(
            "Tensors overlap or leave holes, keys repeat, or sizes do not fit. Holes hide other files; readers that do "
            "not check read behind the end."
        ),
        remedy=FETCH,
        cwe=(228, 125),
    ),
    Rule(
        id="malformed-onnx",
        title="an ONNX file breaks the rules of its format",
        meaning=(
            "The fields are not those of a model, or lengths contradict each other. Bytes that are valid to the scan "
            "only by half are another file to another program."
        ),
        remedy=FETCH,
        cwe=(228,),
    ),
    Rule(
        id="malformed-ubjson",
        title="a UBJSON file is not what XGBoost writes",
        meaning=(
            "It begins as the UBJSON of an XGBoost model and goes on otherwise: a length that leads nowhere, an "
            "array of "
            "something else than numbers, a text that is not UTF-8. XGBoost's reader is native code, which has crashed "
            "on such files."
        ),
        remedy="load it where it was trained and save it again: Booster(model_file=FILE).save_model('m.json')",
        cwe=(228,),
    ),
    Rule(
        id="missing-external-data",
        title="data that a model refers to is not there",
        meaning="Whoever puts a file of that name there later decides what the model computes, unseen by this scan.",
        remedy="put the external data beside the ONNX file",
    ),
    Rule(
        id="operator-runs-python",
        title="an ONNX operator runs Python",
        meaning=(
            "The Python operators of ONNX Runtime and of its extensions call a function or class that the model names, "
            "in the process that runs the model."
        ),
        remedy="export the model with operators of ONNX itself",
        cwe=(829, 470),
    ),
    Rule(
        id="foreign-operator",
        title="an ONNX operator needs a library that is not in the model",
        meaning=(
            "Operators of ONNX and of its runtimes have code that everybody has. That of another domain is in "
            "a library, which whoever runs the model has to fetch and trust beside it. It is to ONNX "
            "what an unknown import is to a pickle."
        ),
        remedy=(
            "export the model with operators of ONNX itself, or write the operator as a function of the model, whose "
            "body is in the file; if the library is your platform's own, an approver can waive this for the one model"
        ),
        cwe=(829,),
    ),
    Rule(
        id="external-data-key",
        title="external data of an ONNX model has a key that the format does not define",
        meaning=(
            "A tensor's external data is described by location, offset, length and checksum. Readers before onnx 1.21 "
            "set whatever else stands there as an attribute of their own objects, and crash or worse (CVE-2026-34445)."
        ),
        remedy="remove the key, or save the model again with onnx",
        severity=Severity.CRITICAL,
        cwe=(915,),
    ),
    Rule(
        id="hard-link",
        title="a file of the model is another file as well",
        meaning=(
            "A file that holds an ONNX model's numbers has more names than those in the model: whoever may write the "
            "other one changes the model after it was judged, and what it reads may be a secret of this machine."
        ),
        remedy="make it a file of its own: `cp FILE COPY && mv COPY FILE`",
        cwe=(62,),
    ),
    Rule(
        id="outside-reference",
        title="the model refers to a file outside its folder",
        meaning=(
            "Loading would read another file of the machine as weights, and could be made to show it. Only files "
            "beside the one that names them are part of what was scanned."
        ),
        remedy="keep all files of the model beside the file that names them",
        cwe=(22, 73),
    ),
)
"""Rules of formats without code, and of what a file is."""
