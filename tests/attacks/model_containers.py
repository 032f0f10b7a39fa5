"""Hostile containers: zip in all its ambiguity, compressed streams, torch archives, arrays."""

from __future__ import annotations

import bz2
import gzip
import io
import lzma
import struct
import zipfile
import zlib
from collections.abc import Callable

from tests.attacks.model_pickles import OPCODES, SYSTEM, name4
from tests.attacks.models import Case

CLEAN = b"\x80\x04N."


def archive(members: dict[str, bytes], *, method: int = zipfile.ZIP_STORED) -> bytes:
    """Write a zip archive with Python's own writer."""
    stream = io.BytesIO()
    with zipfile.ZipFile(stream, "w", method) as target:
        for name, data in members.items():
            target.writestr(zipfile.ZipInfo(name, (1980, 1, 1, 0, 0, 0)), data, method)
    return stream.getvalue()


def torch_archive(
    pickle: bytes, *, storages: dict[str, bytes] | None = None, extra: dict[str, bytes] | None = None
) -> bytes:
    """Build what ``torch.save`` writes: the pickle, byte order, storages, version."""
    members = {"archive/data.pkl": pickle, "archive/byteorder": b"little"}
    members |= {f"archive/data/{key}": data for key, data in (storages or {}).items()}
    members |= {"archive/version": b"3\n", "archive/.data/serialization_id": b"0123456789"}
    return archive(members | (extra or {}))


def state_dict(*, key: str = "0", kind: str = "FloatStorage", count: int = 4) -> bytes:
    """Build the pickle of a state dict with one tensor of ``count`` elements."""
    text = b"\x8c" + bytes([len(key)]) + key.encode()
    identifier = b"(\x8c\x07storage" + name4("torch", kind) + text + b"\x8c\x03cpuK" + bytes([count]) + b"tQ"
    hooks = name4("collections", "OrderedDict") + b")R"
    tensor = name4("torch._utils", "_rebuild_tensor_v2") + b"(" + identifier + b"K\x00K" + bytes([count])
    tensor += b"\x85K\x01\x85\x89" + hooks + b"tR"
    return b"\x80\x02" + name4("collections", "OrderedDict") + b")R\x8c\x06weight" + tensor + b"s."


def _patch(data: bytes, old: bytes, new: bytes, *, place: int = 0) -> bytes:
    at = data.index(old, place)
    return data[:at] + new + data[at + len(old) :]


def _zip_tricks() -> dict[str, bytes]:
    plain = archive({"a.pkl": CLEAN, "b.pkl": CLEAN})
    central = plain.index(b"PK\x01\x02")
    return {
        "name-differs": _patch(plain, b"a.pkl", b"z.pkl"),
        "central-name-differs": _patch(plain, b"a.pkl", b"z.pkl", place=central),
        "crc-broken": plain.replace(CLEAN, b"\x80\x04I."[:4], 1),
        "prefix": b"junk" + plain,
        "pickle-prefix": SYSTEM + plain,
        "suffix": plain + b"junk",
        "comment": plain[:-2] + b"\x04\x00" + b"junk",
        "encrypted": _patch(plain, b"PK\x03\x04\x14\x00\x00\x00", b"PK\x03\x04\x14\x00\x01\x00"),
        "encrypted-both": _flag(plain, 1),
        "gap": plain[:central] + b"gap" + plain[central:],
        "no-central": plain[:central],
        "count-wrong": plain[:-14] + b"\x01\x00\x01\x00" + plain[-10:],
        "method-unknown": archive({"a.pkl": CLEAN}, method=zipfile.ZIP_BZIP2),
        "method-lzma": archive({"a.pkl": CLEAN}, method=zipfile.ZIP_LZMA),
        "parent-name": archive({"../a.pkl": CLEAN}),
        "absolute-name": archive({"/a.pkl": CLEAN}),
        "backslash-name": archive({"a\\b.pkl": CLEAN}),
        "same-name-other-case": archive({"a.pkl": CLEAN, "A.pkl": CLEAN}),
        "two-archives": plain + archive({"c.pkl": SYSTEM}),
        "size-differs": _patch(plain, struct.pack("<2L", 4, 4), struct.pack("<2L", 4, 3)),
        "payload-in-member": archive({"a.pkl": SYSTEM}),
        "payload-deflated": archive({"a.pkl": SYSTEM}, method=zipfile.ZIP_DEFLATED),
        "payload-in-nested-zip": archive({"a.zip": archive({"b.pkl": SYSTEM})}),
        "payload-in-odd-member": archive({"a.css": SYSTEM}),
        "program-in-member": archive({"a.txt": b"\x7fELF" + bytes(60)}),
        "python-in-member": archive({"a.py": b"print(1)\n"}),
        "folder-with-content": archive({"a/": SYSTEM}),
        "same-name-in-other-form": archive({"caf\u00e9.txt": CLEAN, "cafe\u0301.txt": CLEAN}),
        "empty-name-folder": archive({"a//b.pkl": CLEAN}),
    }


def _flag(data: bytes, flag: int) -> bytes:
    changed = bytearray(data)
    for magic, place in ((b"PK\x03\x04", 6), (b"PK\x01\x02", 8)):
        at = data.find(magic)
        while at >= 0:
            changed[at + place] |= flag
            at = data.find(magic, at + 4)
    return bytes(changed)


def _duplicate() -> bytes:
    data = archive({"a.pkl": CLEAN, "b.pkl": SYSTEM})
    return data.replace(b"b.pkl", b"a.pkl")


def _torch_tricks() -> dict[str, bytes]:
    return {
        "payload": torch_archive(SYSTEM),
        "extra-pickle": torch_archive(state_dict(), storages={"0": bytes(16)}, extra={"archive/evil.pkl": SYSTEM}),
        "extra-python": torch_archive(state_dict(), storages={"0": bytes(16)}, extra={"archive/code/m.py": b"x=1\n"}),
        "extra-odd": torch_archive(state_dict(), storages={"0": bytes(16)}, extra={"archive/data/evil": SYSTEM}),
        "constants": torch_archive(state_dict(), storages={"0": bytes(16)}, extra={"archive/constants.pkl": SYSTEM}),
        "second-root": torch_archive(state_dict(), storages={"0": bytes(16)}, extra={"other/data.pkl": SYSTEM}),
        "storage-missing": torch_archive(state_dict()),
        "storage-short": torch_archive(state_dict(), storages={"0": bytes(8)}),
        "storage-key-path": torch_archive(state_dict(key="../0"), storages={"0": bytes(16)}),
        "storage-kind-unknown": torch_archive(state_dict(kind="Tensor"), storages={"0": bytes(16)}),
        "trailing": torch_archive(state_dict() + SYSTEM, storages={"0": bytes(16)}),
        "prefix": SYSTEM + torch_archive(state_dict(), storages={"0": bytes(16)}),
        "version-is-pickle": archive({"archive/data.pkl": CLEAN, "archive/version": SYSTEM}),
    }


def npy(header: str, data: bytes, *, version: int = 1) -> bytes:
    """Write an array file with any header."""
    raw = header.encode() + b"\n"
    return b"\x93NUMPY" + bytes([version, 0]) + struct.pack("<H" if version == 1 else "<I", len(raw)) + raw + data


_OBJECTS = "{'descr': '|O', 'fortran_order': False, 'shape': (1,)}"
_NUMBERS = "{'descr': '<f4', 'fortran_order': False, 'shape': (2,)}"

NUMPY: dict[str, bytes] = {
    "object-payload": npy(_OBJECTS.replace("|O", "|O8"), SYSTEM),
    "object-payload-field": npy("{'descr': [('a', '|O8')], 'fortran_order': False, 'shape': (1,)}", SYSTEM),
    "object-short-code": npy(_OBJECTS, SYSTEM),
    "header-is-call": npy("__import__('os').system('true')", b""),
    "header-is-call-in-dict": npy("{'descr': exit(), 'fortran_order': False, 'shape': (1,)}", b""),
    "header-deep": npy("(" * 5000 + ")" * 5000, b""),
    "trailing-payload": npy(_NUMBERS, bytes(8) + SYSTEM),
    "cut-off": npy(_NUMBERS, bytes(7)),
    "shape-negative": npy(_NUMBERS.replace("(2,)", "(-2,)"), bytes(8)),
    "shape-huge": npy(_NUMBERS.replace("(2,)", "(9999999999999,)"), bytes(8)),
    "version-9": npy(_NUMBERS, bytes(8), version=9),
    "extra-key": npy("{'descr': '<f4', 'fortran_order': False, 'shape': (2,), 'x': 1}", bytes(8)),
}


def _streams() -> list[Case]:
    ways: dict[str, Callable[[bytes], bytes]] = {
        ".gz": gzip.compress,
        ".bz2": bz2.compress,
        ".xz": lzma.compress,
        ".z": zlib.compress,
        ".lzma": lambda data: lzma.compress(data, format=lzma.FORMAT_ALONE),
    }
    found: list[Case] = []
    for suffix, pack in ways.items():
        for kind in (".pkl", ".joblib"):
            found.append(Case("containers", f"stream{suffix}{kind}", f"m{kind}{suffix}", pack(SYSTEM)))
            found.append(Case("containers", f"hidden{suffix}{kind}", f"m{kind}", pack(SYSTEM)))
        found.append(Case("containers", f"cut{suffix}", f"m.pkl{suffix}", pack(CLEAN * 50)[:-3]))
        found.append(Case("containers", f"trailing{suffix}", f"m.pkl{suffix}", pack(CLEAN) + SYSTEM))
        found.append(Case("containers", f"twice{suffix}", f"m.pkl{suffix}", pack(CLEAN) + pack(SYSTEM)))
        found.append(Case("containers", f"in-itself{suffix}", f"m.pkl{suffix}", pack(pack(SYSTEM))))
    return found


def cases() -> list[Case]:
    """Return all hostile containers."""
    found = [Case("containers", f"zip-{name}", "m.zip", data) for name, data in _zip_tricks().items()]
    found.append(Case("containers", "zip-duplicate", "m.zip", _duplicate()))
    found += [Case("containers", f"torch-{name}", "m.pt", data) for name, data in _torch_tricks().items()]
    found += [Case("containers", f"npz-{name}", "m.npz", archive({"a.npy": data})) for name, data in NUMPY.items()]
    found.append(Case("containers", "npz-with-pickle", "m.npz", archive({"a.pkl": SYSTEM})))
    found += [Case("numpy", name, "m.npy", data) for name, data in NUMPY.items()]
    found += _streams()
    found.append(Case("dos", "gzip-zeros", "m.pkl.gz", gzip.compress(bytes(96 * 1024**2), 9)))
    found.append(Case("dos", "zip-many", "m.zip", archive({f"{place}.pkl": b"N." for place in range(20_001)})))
    deep = archive({"a.pkl": CLEAN})
    for _ in range(12):
        deep = archive({"a.zip": deep})
    found.append(Case("dos", "zip-deep", "m.zip", deep))
    for name in ("reduce-protocol-0", "inst", "stack-global", "extension-1"):
        found.append(Case("containers", f"legacy-{name}", "m.bin", OPCODES[name]))
    return found
