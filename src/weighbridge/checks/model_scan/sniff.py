"""Tell a format by content, and which formats an extension may hold."""

from __future__ import annotations

import re
from typing import Final

HEAD: Final = 512
"""Bytes that are looked at."""

_MAGIC: Final[tuple[tuple[int, bytes, str], ...]] = (
    (0, b"PK\x03\x04", "zip"),
    (0, b"PK\x05\x06", "zip"),
    (0, b"\x93NUMPY", "npy"),
    (0, b"\x1f\x8b", "gzip"),
    (0, b"BZh", "bz2"),
    (0, b"\xfd7zXZ\x00", "xz"),
    (0, b"\x5d\x00\x00", "lzma"),
    (0, b"\x7fELF", "elf"),
    (0, b"MZ", "pe"),
    (0, b"\xfe\xed\xfa", "mach-o"),
    (0, b"\xcf\xfa\xed\xfe", "mach-o"),
    (0, b"\xce\xfa\xed\xfe", "mach-o"),
    (0, b"\xca\xfe\xba\xbe", "java-class"),
    (0, b"#!", "script"),
    (0, b"GGUF", "gguf"),
    (0, b"\x89HDF\r\n\x1a\n", "hdf5"),
    (0, b"7z\xbc\xaf\x27\x1c", "7z"),
    (0, b"Rar!", "rar"),
    (0, b"\x04\x22\x4d\x18", "lz4"),
    (0, b"\x28\xb5\x2f\xfd", "zstd"),
    (257, b"ustar", "tar"),
)
_ZLIB: Final = re.compile(rb"\x78[\x01\x5e\x9c\xda]")
_PICKLE: Final = re.compile(rb"\x80[\x00-\x05]")

_LFS: Final = re.compile(
    rb"version https://(?:git-lfs|hawser)\.github\.com/spec/v1\n"
    rb"(?:ext-\d-\S+ sha256:[0-9a-f]{64}\n)*oid sha256:[0-9a-f]{64}\nsize \d+\n"
)
"""A pointer of Git LFS, all of it. https://github.com/git-lfs/git-lfs/blob/main/docs/spec.md"""

CODE: Final = frozenset({"elf", "pe", "mach-o", "java-class", "script"})
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

_PICKLES: Final = PACKED | {"pickle"}
_TORCH: Final = frozenset({"pickle", "zip", "torch-legacy"})

EXPECTED: Final[dict[str, frozenset[str]]] = {
    ".pkl": _PICKLES,
    ".pickle": _PICKLES,
    ".joblib": _PICKLES,
    ".pt": _TORCH,
    ".pth": _TORCH,
    ".ckpt": _TORCH,
    ".bin": _TORCH,
    ".npy": frozenset({"npy"}),
    ".npz": frozenset({"zip"}),
    ".zip": frozenset({"zip"}),
    ".safetensors": frozenset({"safetensors"}),
    ".onnx": frozenset({"onnx"}),
    ".json": frozenset({"json"}),
    ".gz": frozenset({"gzip"}),
    ".bz2": frozenset({"bz2"}),
    ".xz": frozenset({"xz"}),
    ".lzma": frozenset({"lzma"}),
    ".z": frozenset({"zlib"}),
    ".txt": frozenset({"text"}),
    ".md": frozenset({"text"}),
    ".csv": frozenset({"text"}),
    ".tsv": frozenset({"text"}),
    ".yaml": frozenset({"yaml"}),
    ".yml": frozenset({"yaml"}),
    ".jinja": frozenset({"jinja"}),
    ".jinja2": frozenset({"jinja"}),
    ".j2": frozenset({"jinja"}),
}
"""What an extension may hold. A format that only an extension can tell (text, ONNX and others) is tried as such."""

TEXT_NAMES: Final = frozenset({"license", "notice", "readme", "copying", "authors", ".gitattributes", ".gitignore"})
"""Files without a telling extension that are plain text by custom."""


def extension(name: str) -> str:
    """Return the last extension of a file name in lower case, or ``.txt`` for text files by custom."""
    last = name.replace("\\", "/").rpartition("/")[2].lower()
    if last == "mlmodel":
        return ".yaml"
    if last in TEXT_NAMES:
        return ".txt"
    return f".{last.rpartition('.')[2]}" if "." in last.lstrip(".") else ""


def is_lfs_pointer(start: bytes) -> bool:
    """Tell whether a file is the few lines that a checkout without Git LFS has in place of it.

    No reader takes these bytes for a model, nor for the end of one: nothing comes after them.
    """
    return len(start) < HEAD and _LFS.fullmatch(start) is not None


def sniff(start: bytes) -> str:
    """Return the format that the first bytes tell, or ``unknown``."""
    for offset, magic, kind in _MAGIC:
        if start[offset : offset + len(magic)] == magic:
            return kind
    if _PICKLE.match(start):
        return "pickle"
    if _ZLIB.match(start):
        return "zlib"
    if len(start) > 9 and start[8:9] == b"{" and int.from_bytes(start[:8], "little") < 1 << 32:  # noqa: PLR2004
        return "safetensors"
    return "unknown"


def decide(start: bytes, *, suffix: str) -> str:
    """Return the format of a file by its content, where only content without a magic may be told by extension."""
    kind = sniff(start)
    if kind != "unknown":
        return kind
    expected = EXPECTED.get(suffix, frozenset())
    for quiet in ("text", "json", "yaml", "jinja", "onnx", "pickle"):
        if quiet in expected:
            return quiet
    return "unknown"
