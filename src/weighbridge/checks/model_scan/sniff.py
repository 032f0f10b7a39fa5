"""Tell a format by its bytes. A name says only that a file is a program, since programs are imported by name."""

from __future__ import annotations

import codecs
import json
import re
import zlib
from collections.abc import Callable
from typing import Final

from weighbridge.checks.model_scan.reader import Reader
from weighbridge.checks.model_scan.report import RefusedError
from weighbridge.checks.model_scan.source import Source, pieces

MAX_RECORD: Final = 1 << 20
"""Longest first line of a file that is one JSON document a line."""

_MAGIC: Final[tuple[tuple[int, bytes, str], ...]] = (
    (0, b"PK\x03\x04", "zip"),
    (0, b"PK\x05\x06", "zip"),
    (0, b"\x93NUMPY", "npy"),
    (0, b"\x1f\x8b", "gzip"),
    (0, b"\xfd7zXZ\x00", "xz"),
    (0, b"\x5d\x00\x00", "lzma"),
    (0, b"\x7fELF", "elf"),
    (0, b"\xfe\xed\xfa", "mach-o"),
    (0, b"\xcf\xfa\xed\xfe", "mach-o"),
    (0, b"\xce\xfa\xed\xfe", "mach-o"),
    (0, b"\xca\xfe\xba\xbf", "mach-o"),
    (0, b"\xca\xfe\xba\xbe", "java-class"),
    (0, b"\x00asm\x01\x00\x00\x00", "wasm"),
    (0, b"dex\n03", "dex"),
    (0, b"\x1bLua", "lua"),
    (0, b"BC\xc0\xde", "llvm"),
    (0, b"L\x00\x00\x00\x01\x14\x02\x00", "windows-link"),
    (0, b"\x89HDF\r\n\x1a\n", "hdf5"),
    (0, b"7z\xbc\xaf\x27\x1c", "7z"),
    (0, b"Rar!\x1a\x07", "rar"),
    (0, b"\x04\x22\x4d\x18", "lz4"),
    (0, b"\x28\xb5\x2f\xfd", "zstd"),
)
_ZLIB: Final = re.compile(rb"\x78[\x01\x5e\x9c\xda]")
# A protocol that does not exist yet is still a pickle to whoever reads it one day; the machine refuses it.
_PICKLE: Final = re.compile(rb"\x80(?:[\x00-\x05]|[\x06-\x0f][()\]}NXUCKMJGc\x8c\x95\x88\x89\x8a\x8f])", re.DOTALL)
_BZIP2: Final = re.compile(rb"BZh[1-9](?:1AY&SY|\x17rE8P\x90)")
_PYTHON_CODE: Final = re.compile(rb"..\r\n[\x00-\x03]\x00\x00\x00.{8}[\x63\xe3]", re.DOTALL)
_BINARY: Final = re.compile(rb"[\x00-\x08]")
_SCRIPT: Final = re.compile(rb"#![ \t]*\S")
_JSON: Final = re.compile(
    rb"(?:\xef\xbb\xbf)?[ \t\r\n]*(?:\{[ \t\r\n]*[\"}]|\[[ \t\r\n]*(?:[\[{\]\"0-9-]|true\b|false\b|null\b))"
)
_XML: Final = re.compile(rb"(?:\xef\xbb\xbf)?\s*<(?:\?xml\b|PMML\b|!DOCTYPE\b(?!\s+html))", re.IGNORECASE)
_CONTROL: Final = bytes(byte for byte in range(32) if byte not in b"\t\n\x0c\r") + b"\x7f"
_TAR_HEADER: Final = 512

_LFS: Final = re.compile(
    rb"version https://(?:git-lfs|hawser)\.github\.com/spec/v1\n"
    rb"(?:ext-\d-\S+ sha256:[0-9a-f]{64}\n)*oid sha256:[0-9a-f]{64}\nsize \d+\n"
)
"""A pointer of Git LFS, all of it. https://github.com/git-lfs/git-lfs/blob/main/docs/spec.md"""

_WIDE: Final = (
    (codecs.BOM_UTF32_LE, "utf-32-le"),
    (codecs.BOM_UTF32_BE, "utf-32-be"),
    (codecs.BOM_UTF16_LE, "utf-16-le"),
    (codecs.BOM_UTF16_BE, "utf-16-be"),
)
_ZEROS: Final[dict[tuple[bool, ...], str]] = {
    (False, True, False, True): "utf-16-le",
    (True, False, True, False): "utf-16-be",
    (False, True, True, True): "utf-32-le",
    (True, True, True, False): "utf-32-be",
}

CODE: Final = frozenset(
    {"elf", "pe", "mach-o", "java-class", "script", "wasm", "dex", "lua", "llvm", "windows-link", "python-code"}
)
"""Formats that hold a program."""

PACKED: Final = frozenset({"gzip", "bz2", "xz", "lzma", "zlib"})
"""Formats that wrap one stream."""

CODE_EXTENSIONS: Final = frozenset(
    [
        ".py",
        ".pyc",
        ".pyo",
        ".pyw",
        ".pyx",
        ".pyd",
        ".so",
        ".dll",
        ".dylib",
        ".exe",
        ".sh",
        ".bash",
        ".bat",
        ".cmd",
        ".ps1",
        ".js",
        ".jar",
        ".class",
        ".whl",
        ".egg",
        ".pl",
        ".rb",
        ".lua",
        ".ipynb",
        ".wasm",
        ".o",
        ".a",
        ".c",
        ".cc",
        ".cpp",
        ".cu",
    ]
)
"""Extensions of programs."""

_READ_AS: Final = {
    "yaml": (".yaml", ".yml"),
    "jinja": (".jinja", ".jinja2", ".j2"),
    "toml": (".toml",),
    "ini": (".cfg", ".ini", ".conf"),
    "pbtxt": (".pbtxt", ".prototxt"),
    "xml": (".xml", ".pmml", ".svg", ".plist"),
    "html": (".html", ".htm"),
    # A text of this name is no model of torch but what Python runs at its start.
    "program": (
        ".pth", ".mjs", ".cjs", ".ts", ".php", ".vbs", ".hta", ".r", ".jl", ".java", ".go", ".rs", ".psm1", ".lnk",
        ".kt", ".desktop", ".command", ".mk", ".cmake", ".gradle", ".groovy", ".scala", ".swift", ".tcl", ".zsh",
        ".ksh", ".fish",
    ),
}  # fmt: skip
TEXT_EXTENSIONS: Final = {suffix: kind for kind, suffixes in _READ_AS.items() for suffix in suffixes}
"""Extensions by which loaders read text as something that may name code."""

TEXT_NAMES: Final = {
    "mlmodel": "yaml", "mlproject": "yaml", "dvc.lock": "yaml", "makefile": "program", "dockerfile": "program",
    "jenkinsfile": "program", "procfile": "program", "vagrantfile": "program", "rakefile": "program",
}  # fmt: skip
"""Names by which loaders read text so."""


def extension(name: str) -> str:
    """Return the last extension of a file name in lower case."""
    last = name.replace("\\", "/").rpartition("/")[2].lower()
    return f".{last.rpartition('.')[2]}" if "." in last.lstrip(".") else ""


def text_kind(start: bytes, *, name: str) -> str:
    """Return which kind of text a loader would read this as: by its beginning, or by the name that it is found by."""
    if _XML.match(start):
        return "xml"
    last = name.replace("\\", "/").rpartition("/")[2].lower()
    return TEXT_NAMES.get(last) or TEXT_EXTENSIONS.get(extension(name), "text")


def is_lfs_pointer(start: bytes) -> bool:
    """Tell whether a file is the few lines that a checkout without Git LFS has in place of it.

    No reader takes these bytes for a model, nor for the end of one: nothing comes after them.
    """
    return len(start) < _TAR_HEADER and _LFS.fullmatch(start) is not None


def sniff(start: bytes) -> str:
    """Return the format that the first bytes tell, or ``unknown``."""
    for offset, magic, kind in _MAGIC:
        if start[offset : offset + len(magic)] == magic:
            return kind
    return next((kind for test, kind in _TESTS if test(start)), "unknown")


def _is_safetensors(start: bytes) -> bool:
    return len(start) > 9 and start[8:9] == b"{" and int.from_bytes(start[:8], "little") < 1 << 32  # noqa: PLR2004


def _is_gguf(start: bytes) -> bool:
    return start.startswith(b"GGUF") and _BINARY.search(start[:16]) is not None


def _is_pe(start: bytes) -> bool:
    return start.startswith(b"MZ") and _BINARY.search(start) is not None


def _is_zlib(start: bytes) -> bool:
    # Two of the four first pairs of bytes are printable, so what follows has to unpack.
    if _ZLIB.match(start) is None:
        return False
    try:
        zlib.decompressobj().decompress(start, 1 << 16)
    except zlib.error:
        return False
    return True


def is_tar(start: bytes) -> bool:
    """Tell whether a tar reader would take the first 512 bytes for a member's header: by its checksum, as they do."""
    if len(start) < _TAR_HEADER:
        return False
    told = start[148:156].strip(b" \0")
    if not told or not set(told) <= set(b"01234567"):
        return False
    header = start[:148] + b" " * 8 + start[156:_TAR_HEADER]
    return int(told, 8) in (sum(header), sum(byte - 256 if byte > 127 else byte for byte in header))  # noqa: PLR2004


def is_text(source: Source) -> bool:
    """Tell whether bytes are UTF-8 without control characters, from the first one to the last."""
    decoder = codecs.getincrementaldecoder("utf-8")()
    try:
        for chunk in pieces(source):
            if len(chunk.translate(None, _CONTROL)) != len(chunk):
                return False
            decoder.decode(chunk)
        decoder.decode(b"", final=True)
    except UnicodeDecodeError:
        return False
    return True


def wide_text(start: bytes) -> str | None:
    """Return the encoding of text in UTF-16 or UTF-32: by its mark, or by the zeros beside its first letter."""
    for mark, encoding in _WIDE:
        if start.startswith(mark):
            return encoding
    zeros = tuple(byte == 0 for byte in start[:4])
    return _ZEROS.get(zeros)


def is_json(source: Source, start: bytes) -> bool:
    """Tell whether text begins as a JSON document and does not go on, line by line, with others."""
    if _JSON.match(start) is None:
        return False
    reader = Reader(source)
    try:
        alone = isinstance(json.loads(reader.line(MAX_RECORD)), dict | list)
        following = next((byte for byte in iter(reader.byte, -1) if byte not in b" \t\r\n"), -1)
    except (RefusedError, ValueError, RecursionError):
        return True
    # One complete document a line: nothing reads these as configuration.
    return not (alone and following in b"{[")


_TESTS: Final[tuple[tuple[Callable[[bytes], object], str], ...]] = (
    # Before pickles: a header of 640 bytes begins as a pickle of protocol 2 does.
    (_is_safetensors, "safetensors"),
    (_PICKLE.match, "pickle"),
    (_is_gguf, "gguf"),
    (_SCRIPT.match, "script"),
    (_BZIP2.match, "bz2"),
    (_is_pe, "pe"),
    (_PYTHON_CODE.match, "python-code"),
    (_is_zlib, "zlib"),
    (is_tar, "tar"),
)
