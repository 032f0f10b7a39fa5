"""Reasons that are in what a file is: formats without a parser, forms that are not known, files that are not there."""

from __future__ import annotations

from typing import Final

from weighbridge.checks.rule import Reason

CONTENTS: Final = (
    Reason(
        id="unknown-bytes",
        title="nothing in the bytes says what they are",
        meaning=(
            "The first bytes are no magic number, and the whole is no text, no pickle, no protobuf message of ONNX and "
            "no UBJSON. Raw numbers look so, and so does a format that nobody wrote down. What a program makes of them "
            "is decided by the program, and nothing here can tell."
        ),
        remedy=(
            "leave the file out of the model if nothing loads it; raw numbers go into .npy by "
            "numpy.save(NAME, numpy.fromfile(FILE, dtype=...)) or into safetensors, which say what they are"
        ),
    ),
    Reason(
        id="no-parser-hdf5",
        title="an HDF5 file, which the scan has no parser for",
        meaning=(
            "Keras keeps models in it, with layers by class name, Lambda layers as marshalled Python code, and links "
            "to "
            "other files of the machine. The file was recognised by its signature and nothing of it was read. Saving "
            "it "
            "again as `.keras` does not help, since that holds the same file."
        ),
        remedy=(
            "ask whoever trained it to export what is served, since to convert a file is to load it: "
            "`model.export('m.onnx', format='onnx')` in Keras 3 or "
            "`python -m tf2onnx.convert --keras m.h5 --output m.onnx`; weights alone go to safetensors by "
            "safetensors.numpy.save_file({w.path: w.numpy() for w in model.weights}, 'm.safetensors')"
        ),
    ),
    Reason(
        id="no-parser-gguf",
        title="a GGUF file, which the scan has no parser for",
        meaning=(
            "llama.cpp reads it: tensors behind a list of keys, one of which can hold a chat template that a program "
            "renders. Parsers of it had memory errors. The file was recognised by its magic number and not read."
        ),
        remedy=(
            "ship the safetensors that it was converted from, and convert it where it is served, with "
            "convert_hf_to_gguf.py of llama.cpp"
        ),
    ),
    Reason(
        id="no-parser-tensorflow",
        title="a graph of TensorFlow, which the scan has no parser for",
        meaning=(
            "A SavedModel or GraphDef is a program of operators, some of which read and write files or call Python. It "
            "was recognised by its protobuf fields, and which operators it has was not judged."
        ),
        remedy=(
            "ask whoever made it to convert it, since to convert it is to load it: "
            "`python -m tf2onnx.convert --saved-model FOLDER --output m.onnx`, and leave the folder out of the model"
        ),
    ),
    Reason(
        id="no-parser-tflite",
        title="a TFLite file, which the scan has no parser for",
        meaning="The FlatBuffer was recognised by its identifier TFL3; its operators and custom options were not read.",
        remedy=(
            "ask whoever made it to convert it, since to convert it is to load it: "
            "`python -m tf2onnx.convert --tflite m.tflite --output m.onnx`"
        ),
    ),
    Reason(
        id="no-parser-tar",
        title="a tar archive, which the scan does not open",
        meaning=(
            "A member of a tar can be a link, a device or a path outside the folder, and NeMo and others unpack it "
            "before they load what is inside. It was recognised by the checksum of its first header."
        ),
        remedy="unpack it into the folder of the model and leave the archive out: `tar -xf FILE && rm FILE`",
    ),
    Reason(
        id="no-parser-archive",
        title="an archive of 7z or rar, which the scan does not open",
        meaning="It was recognised by its magic number. What lies in it may be anything.",
        remedy="unpack it into the folder of the model, with `7z x FILE`, and leave the archive out",
    ),
    Reason(
        id="no-parser-lz4",
        title="an lz4 stream, which the scan does not unpack",
        meaning=(
            "It was recognised by its magic number. joblib writes it when it is told compress='lz4'. Python has no "
            "unpacker of its own for it, and the scan has no other parser than Python's."
        ),
        remedy=(
            "unpack it: `lz4 -d FILE OUT`; or load it where it was made and save it again: "
            "joblib.dump(model, OUT, compress=('gzip', 3))"
        ),
    ),
    Reason(
        id="no-parser-zstd",
        title="a Zstandard stream, which the scan does not unpack",
        meaning=(
            "It was recognised by its magic number. Python before 3.14 has no unpacker of its own for it, and the scan "
            "has no other parser than Python's."
        ),
        remedy="unpack it: `zstd -d FILE -o OUT`, and put OUT in its place",
    ),
    Reason(
        id="no-parser-sentencepiece",
        title="a SentencePiece model, which the scan has no parser for",
        meaning=(
            "A protobuf message of pieces with scores, which native code reads. It was recognised by its first piece; "
            "its normaliser's compiled table was not judged."
        ),
        remedy=(
            "convert the tokenizer to tokenizer.json, which is read: "
            "AutoTokenizer.from_pretrained(FOLDER, use_fast=True).save_pretrained(OUT), and leave this file out"
        ),
    ),
    Reason(
        id="no-parser-media",
        title="a picture, document, sound or database, which is no part of a model",
        meaning=(
            "It was recognised by its magic number. Nothing that loads a model needs it, and nothing here reads it."
        ),
        remedy="leave it out of the model; pictures of a README can be linked from where they are published",
    ),
    Reason(
        id="no-parser-settings",
        title="a text of settings or markup that programs find by its name, and that is not read",
        meaning=(
            "TOML, INI, XML, HTML and the protobuf texts of other programs than Triton can name modules, hooks and "
            "files "
            "to whoever reads them. They were recognised as text by content and by their name as what a program "
            "looks for."
        ),
        remedy=(
            "leave it out of the model if nothing loads it; settings of your own can be written as JSON or YAML, and a "
            "PMML model can be exported to ONNX from where it was trained"
        ),
    ),
    Reason(
        id="unread-bytes",
        title="a parser came to its end and left bytes unread",
        meaning=(
            "Every byte of a clean file was read by a parser of its format or passed over as data. Bytes that neither "
            "was true of may be for somebody else."
        ),
        remedy="load the model with its own library and save it again, which leaves nothing between its parts",
    ),
    Reason(
        id="unknown-compression",
        title="a member of a zip archive is compressed in a way that is not read",
        meaning="Stored and deflated members are read, which is what torch, numpy and Keras write.",
        remedy="write the archive again: `unzip -d OUT FILE && (cd OUT && zip -r -0 ../NEW.zip .)`",
    ),
    Reason(
        id="unknown-operator",
        title="an ONNX operator is in no list of those that are pure functions",
        meaning=(
            "Operators of ONNX and of its machine-learning domain are pure functions of their inputs. What another one "
            "of a runtime does, or one of a release after the list, nobody has looked at here."
        ),
        remedy=(
            "export without it: torch.onnx.export(..., dynamo=True) writes standard operators only; for a model that "
            "ONNX "
            "Runtime has optimised, ship the one it was made from and let the session optimise it"
        ),
    ),
    Reason(
        id="unknown-onnx-field",
        title="an ONNX message has a field that ONNX does not define",
        meaning="The parser knows onnx.proto up to its last release. A reader of another version may use the field.",
        remedy=(
            "save it again, which drops what is not known: onnx.save(onnx.load(FILE), OUT) with the onnx that reads it"
        ),
    ),
    Reason(
        id="nested-pickle",
        title="a pickle lies inside a pickle where it is not followed",
        meaning="The bytes are given to a function that unpickles them, and there was no room to look at them.",
        remedy="save the inner object by itself: torch.save(model.state_dict(), OUT)",
    ),
    Reason(
        id="unreadable",
        title="the file cannot be read",
        meaning="The operating system refused it, or it changed its length. What was not read was not judged.",
        remedy="give the user that runs the scan the right to read it: `chmod a+r FILE`, and scan again",
    ),
    Reason(
        id="file-changed",
        title="the file changed while it was scanned",
        meaning="What was hashed and what was judged would be different bytes, so there is no answer about either.",
        remedy="stop whatever writes there, or scan a copy: `cp -r MODEL COPY && weighbridge scan COPY`",
    ),
    Reason(
        id="no-file",
        title="the model has no file",
        meaning="An empty folder, or one with folders only. Nothing was judged, and nothing is never clean.",
        remedy="give the folder or the file that the model was saved to",
    ),
)
"""Reasons of content."""
