"""Tell keys that select code, and texts that name some: import paths, files of code, code itself."""

from __future__ import annotations

import functools
import re
import sys
from dataclasses import dataclass
from typing import Final

from weighbridge.checks.model_scan.documents import texts
from weighbridge.checks.model_scan.documents.listed import listed
from weighbridge.checks.model_scan.documents.template import looks_like_template

_STANDARD: Final = sys.stdlib_module_names | {
    "__builtin__", "__builtins__", "__main__", "asynchat", "asyncore", "cgi", "commands", "crypt", "distutils", "imp",
    "nntplib", "nt", "pipes", "posix", "smtpd", "telnetlib",
}  # fmt: skip
"""Top-level modules that every Python has, those of other versions and systems too."""

_SELECTORS: Final = listed(
    "class classes cls module modules function functions func fn callable callables callback callbacks target "
    "targets factory constructor import imports loader entrypoint handler handlers hook hooks plugin plugins "
    "method script scripts code command cmd exec executable resolver library type object reduce initializer init "
    "call run lambda expression eval impl implementation processor processors python "
)
"""Last words of keys by which a program picks what it imports, calls or runs."""

PICKING: Final = frozenset({"module", "class", "cls", "function", "func", "fn", "callable", "method", "library"})
"""Those by which a plain name is one of code too, when the module is named beside it."""

_STRONG: Final = listed(
    "class classes cls module function functions func fn callable callables callback callbacks factory constructor "
    "import imports loader entrypoint handler handlers hook hooks plugin method resolver initializer reduce lambda "
    "impl implementation processors python "
)
"""Those that mean nothing else; a type or a target is more often a kind of data."""

_GIVEN: Final = listed(
    "args kwargs arguments keywords params parameters init_args init_kwargs config command options inputs newargs "
)
"""Keys beside such a one that hold what the picked thing is given."""

_FLAGS: Final = frozenset({"trust_remote_code"})
FLAG_BYTES: Final = re.compile(rb'"trust_remote_code"')
"""Where a number or truth value matters."""

_WORDS: Final = re.compile(r"[A-Z]+(?![a-z])|[A-Z]?[a-z]+|\d+")
_DOTTED: Final = re.compile(r"[^\W\d]\w*(?:\.[^\W\d]\w*)+")
_COLON: Final = re.compile(r"([^\W\d]\w*(?:\.[^\W\d]\w*)*):([^\W\d]\w*(?:\.[^\W\d]\w*)*)")
_IDENTIFIER: Final = re.compile(r"[^\W\d]\w*")
_CODE_FILE: Final = re.compile(r"[\w./\\-]+\.(?:py|pyc|pyd|so|dll|sh|bat|ps1|js)", re.IGNORECASE)
_NATIVE: Final = re.compile(r"[\w./\\ -]*\w\.(?:so(?:\.\d+)*|dll|dylib|pyd)", re.IGNORECASE)
_CODE: Final = re.compile(
    r"\blambda\b[^:\n]*:|__\w+__|\b(?:exec|eval|compile|open|getattr|system|popen)\s*\("
    r"|^\s*(?:import\s+[\w.]+\s*(?:;|$)|from\s+[\w.]+\s+import\b|def\s+\w+\s*\(|class\s+\w+\s*[:(])",
    re.MULTILINE,
)
_FILES: Final = listed(
    "bin bz2 ckpt csv gguf gz h5 html jpg jpeg json jsonl keras lst md model msgpack npy npz onnx parquet pb pdf "
    "pkl png pt pth safetensors spm sqlite tar tflite toml tsv txt vocab wav xml yaml yml zip org com io net ai "
    "co "
)
_PICKLED: Final = re.compile(r"gA[IJMNQRSTUVW][A-Za-z0-9+/=\s_-]{12,}|4w[A-Za-z0-9+/=\s_-]{14,}")
"""Base64 of what a pickle of protocol 2 to 5, or marshalled code, begins with."""


@dataclass(frozen=True, slots=True)
class Reference:
    """Something that an importer would find: a path to a name in a module."""

    path: str

    @property
    def standard(self) -> bool:
        """Tell whether it lies in Python's own library, where no model has its classes."""
        return self.path.partition(".")[0] in _STANDARD

    @property
    def a_class(self) -> bool:
        """Tell whether it is written as a class in a module: the last part in capitals, the first in small letters."""
        last = self.path.rpartition(".")[2]
        return self.path[0].islower() and last[0].isupper() and not last.isupper()


def words(key: str) -> list[str]:
    """Return the words of a key in lower case, however they are joined."""
    return [word.lower() for word in _WORDS.findall(key)]


@functools.lru_cache(maxsize=4096)
def selects(key: str) -> bool:
    """Tell whether a program may pick what it imports or runs by this key."""
    return selector(key) in _SELECTORS or words(key[:200])[-2:] in (["entry", "point"], ["entry", "points"])


def selector(key: str) -> str:
    """Return the word of a key that says what its value picks: the last, or the one before ``name`` or ``path``.

    What has blanks is a word of a vocabulary and no key of a program.
    """
    if " " in key:
        return ""
    found = words(key[:200])
    if len(found) > 1 and found[-1] in ("name", "path") and found[-2] in _STRONG:
        return found[-2]
    return found[-1] if found else ""


def selects_only(key: str) -> bool:
    """Tell whether nothing else than picking code can be meant by this key."""
    return selects(key) and selector(key) not in _SELECTORS - _STRONG


@functools.lru_cache(maxsize=4096)
def telling(key: str) -> bool:
    """Tell whether a container under this key matters even where the one around it is too large to be kept whole."""
    return key in _TELLING or key.startswith(("_", "py/", "@")) or selects(key) or gives(frozenset({key}))


def whole(key: str) -> bool:
    """Tell whether all of an array under this key is kept, however long it is."""
    return key in ("paths", "architectures") or selects(key)


def gives(keys: frozenset[str]) -> bool:
    """Tell whether some key holds arguments for what another one names."""
    return any("_".join(words(key[:200])) in _GIVEN for key in keys)


def reference(text: str) -> Reference | None:
    """Return what a text names as an import path, written with dots or with a colon; names of files are none."""
    if len(text) > 300:  # noqa: PLR2004 - longer than any path that is meant
        return None
    if _DOTTED.fullmatch(text) and text.rpartition(".")[2] not in _FILES:
        return Reference(text)
    colon = _COLON.fullmatch(text)
    return Reference(f"{colon[1]}.{colon[2]}") if colon else None


def identifier(text: object) -> bool:
    """Tell whether something is one plain name."""
    return isinstance(text, str) and _IDENTIFIER.fullmatch(text) is not None


def native(text: str) -> bool:
    """Tell whether a text is the name of a library of machine code."""
    return len(text) < 300 and _NATIVE.fullmatch(text) is not None  # noqa: PLR2004 - longer than any name of a file


def runs_text(text: str) -> bool:
    """Tell whether a text is the name of one of Python's functions that run text."""
    return text in ("eval", "exec", "compile", "__import__")


def code_text(text: str) -> bool:
    """Tell whether a text under a key that selects code is code, or a file of it."""
    return _CODE_FILE.fullmatch(text) is not None or _CODE.search(text) is not None


def pickled(text: str) -> bool:
    """Tell whether a text begins as base64 of a pickle or of marshalled code does."""
    return text[:2] in ("gA", "4w") and _PICKLED.match(text) is not None


def marks_flag(key: str, value: object) -> bool:
    """Tell whether a number or truth value under a key matters in a large object."""
    return key in _FLAGS and bool(value)


def marks(outer: str, key: str, text: str) -> bool:
    """Tell whether a text matters even where a container is too large to be kept whole."""
    if looks_like_template(text) or pickled(text) or texts.telling(text):
        return True
    if outer == "weight_map" and ("/" in text or "\\" in text or text.startswith(".")):
        return True
    if not key or key.isdigit() or outer == "weight_map":
        return False
    if key.startswith(("_", "py/", "@")) or key in _NAMED or (key == "type" and text in ("constructor", "secret")):
        return True
    found = reference(text)
    if found is not None and found.standard:
        return True
    return selects(key) and (found is not None or code_text(text) or _picks(key, text))


def _picks(key: str, text: str) -> bool:
    return selector(key) in PICKING and identifier(text)


_TELLING: Final = frozenset(
    {"auto_map", "auto_mapping", "weight_map", "weightsManifest", "flavors", "architectures", "id", "paths"}
)
_NAMED: Final = frozenset(
    {"auto_map", "custom_generate", "custom_pipelines", "loader_module", "class_name", "registered_name", "peft_type"}
    | {"trust_remote_code", "model_type", "parent_library", "class_path"}
)
"""Keys by which a schema is told, or that only loaders of code have."""
