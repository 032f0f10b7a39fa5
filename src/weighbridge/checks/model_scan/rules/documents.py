"""Rules of JSON, YAML, templates and text."""

from __future__ import annotations

from typing import Final

from weighbridge.checks.rule import Rule

_PLAIN_TEMPLATE: Final = "write the template with the names of messages and fields written out, and nothing else"

DOCUMENTS: Final = (
    Rule(
        id="remote-code",
        title="a configuration makes a library import code",
        meaning=(
            "Keys such as `auto_map`, `custom_generate` or `loader_module` name Python code that comes with the model, "
            "and `trust_remote_code` switches the question off: loading the model then runs it."
        ),
        remedy="remove the key and use a model class of the library itself",
        cwe=(829, 470),
    ),
    Rule(
        id="unsafe-template",
        title="a template reaches for what lies outside its sandbox",
        meaning=(
            "Chat templates are programs in Jinja. Through attributes with underscores, the `attr` filter or computed "
            "names a template leaves its sandbox and runs code at the first prompt (CVE-2024-34359, CVE-2025-27516)."
        ),
        remedy=_PLAIN_TEMPLATE,
        cwe=(1336,),
    ),
    Rule(
        id="template-computed-name",
        title="a template puts the name of what it looks up together",
        meaning=(
            "A subscript or an attribute whose name is computed reaches any attribute of any object, underscores "
            "included, without ever writing it down. Honest templates write the names of messages and fields out."
        ),
        remedy=_PLAIN_TEMPLATE,
        cwe=(1336,),
    ),
    Rule(
        id="template-call",
        title="a template calls what is no known method, function or macro",
        meaning=(
            "What a template may call is small: methods of text and containers, the functions of Jinja and of the "
            "library, its own macros. Whatever else it calls was reached through an object it was not meant to see."
        ),
        remedy=_PLAIN_TEMPLATE,
        cwe=(1336,),
    ),
    Rule(
        id="template-work",
        title="a template asks for work or text without bound",
        meaning=(
            "Loops inside loops, repetition and numbers that are written out let a template of a hundred bytes keep a "
            "server busy for hours, or make text that fills its memory, at the first prompt."
        ),
        remedy="write the template with loops over the messages and their parts, and nothing else",
        cwe=(400, 834),
    ),
    Rule(
        id="template-other-file",
        title="a template reads another file",
        meaning="`include`, `import` and `extends` read other files of whoever renders the template.",
        remedy=_PLAIN_TEMPLATE,
        cwe=(98, 1336),
    ),
    Rule(
        id="code-reference",
        title="a document names code that a library would import or call",
        meaning=(
            "Hydra's `_target_`, LangChain's constructors, jsonpickle's objects and many others name a class or a "
            "function by its import path, and the library that reads the document imports and calls it. "
            "`os.system` is such a path. Only the library's own classes that compute are allowed."
        ),
        remedy="remove the reference, or name the library's own class; keep code in a reviewed package",
        cwe=(470, 502),
    ),
    Rule(
        id="keras-custom-object",
        title="a Keras model has a layer that runs code of its own",
        meaning=(
            "Lambda layers hold Python code, other classes and modules are imported by name, and some layers read "
            "vocabularies from files (CVE-2024-3660, CVE-2025-1550). Only Keras' own classes that compute are allowed."
        ),
        remedy="build the model from Keras' own layers, or save its weights alone",
        cwe=(502, 470),
    ),
    Rule(
        id="embedded-pickle",
        title="a document holds a pickle or compiled code in base64",
        meaning=(
            "The library that reads the document decodes and loads it; compiled code of Python runs when it is called."
        ),
        remedy="store plain values, as text and numbers",
        cwe=(502,),
    ),
    Rule(
        id="yaml-tag",
        title="a YAML document makes an object by a tag",
        meaning=(
            "`!!python/object` and the like make an object of any class, and call it, in loaders that are not safe."
        ),
        remedy="write plain values, and load YAML with a safe loader",
        cwe=(502,),
    ),
)
"""Rules of documents."""
