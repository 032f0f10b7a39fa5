"""Reasons that are limits: a scan has to end, whatever it is given."""

from __future__ import annotations

from typing import Final

from weighbridge.checks.rule import Reason

BUDGETS: Final = (
    Reason(
        id="pickle-too-large",
        title="a pickle has more opcodes or objects than are followed",
        meaning=(
            "The machine follows 5 million opcodes, 600,000 objects and a million memo places. Ordinary models stay "
            "far "
            "below: their numbers lie in arrays, which are one object each."
        ),
        remedy=(
            "keep numbers in arrays and not in lists: numpy.asarray(values) before joblib.dump; a dictionary of very "
            "many entries can be written as JSON beside the model"
        ),
    ),
    Reason(
        id="second-reading-too-long",
        title="the bytes could be a pickle that goes on for too long",
        meaning=(
            "Bytes of another format are followed as a pickle too, until it is clear that no unpickler comes to import "
            "something. These were followed for 3 million opcodes and the answer was still open."
        ),
        remedy=(
            "save the model again with its own library; if it stays, change the order of the tensors, which moves bytes"
        ),
    ),
    Reason(
        id="onnx-too-large",
        title="an ONNX file has more fields than are read",
        meaning=(
            "Five million fields are read. Numbers that old writers put one by one are one field each, in raw data one "
            "for all."
        ),
        remedy=(
            "save tensors as raw data: onnx.save(onnx.load(FILE), OUT) after "
            "numpy_helper.from_array(numpy_helper.to_array(tensor)) for each initializer"
        ),
    ),
    Reason(
        id="metadata-too-long",
        title="a text of an ONNX file's metadata is too long to be judged",
        meaning=(
            "Metadata can hold configuration that libraries act on, so it is judged as a document, which has a limit."
        ),
        remedy="take the entry out: load with onnx, `del model.metadata_props[:]`, save",
    ),
    Reason(
        id="too-many-members",
        title="an archive has more members than are read",
        meaning="Twenty thousand members are read; more take time and say nothing new.",
        remedy="unpack the archive into the folder of the model, or save several smaller ones",
    ),
    Reason(
        id="inner-archive-too-large",
        title="an archive in a compressed stream is too large to be taken into memory",
        meaning=(
            "An archive is found from its end, so one that is compressed has to be unpacked whole: up to 128 MiB are."
        ),
        remedy="unpack the outer stream and put the archive itself into the model: `gzip -d FILE.gz`",
    ),
    Reason(
        id="unpacks-too-large",
        title="the streams of one file unpack to more than is read",
        meaning="Eight gibibytes are unpacked of one file, whatever lies in what, so that a scan ends.",
        remedy="unpack it and put the result into the model: `gzip -d FILE.gz`",
    ),
    Reason(
        id="nests-too-deep",
        title="pickles, archives or documents lie in each other deeper than is followed",
        meaning="Eight levels of files in files and 200 of values in values are followed. Honest models need three.",
        remedy="unpack the outer levels, or write the document with less nesting, and scan again",
    ),
    Reason(
        id="document-too-large",
        title="a document is too large, or has too many values, to be judged one by one",
        meaning="JSON up to 64 MiB and YAML up to 1 MiB is read; what could name code in it is judged value by value.",
        remedy=(
            "write long tables as arrays of numbers or text, or into .npy; YAML becomes JSON by "
            "json.dump(yaml.safe_load(open(FILE)), open(OUT, 'w'))"
        ),
    ),
    Reason(
        id="too-many-findings",
        title="there is more to say than one report may hold",
        meaning="A file has more than a hundred findings; the rest of it was not looked at.",
        remedy="do what the findings say first, and scan again",
    ),
)
"""Reasons of limits."""
