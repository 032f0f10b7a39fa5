"""The nodes of scikit-learn's trees: native code follows their children and columns without asking where they lie.

Every child must lie behind its parent and inside the tree, so that each walk ends, and every column inside the rows
that the tree was made for. The nodes are a row of records (``sklearn/tree/_tree.pxd``) that begin alike in every
version: left child, right child, column, all of 64 bits.
"""

from __future__ import annotations

import codecs
import itertools
import struct
from collections.abc import Iterator
from dataclasses import dataclass
from typing import Final

from weighbridge.checks.model_scan.pickle.rules.dtypes import layout_of
from weighbridge.checks.model_scan.pickle.rules.parts import array_parts
from weighbridge.checks.model_scan.pickle.values import Blob, Collection, Group, Instance, Value
from weighbridge.checks.model_scan.reader import Reader
from weighbridge.checks.model_scan.source import Memory, Part, Source

MAX_PIECE: Final = 1 << 20
"""Bytes of nodes that are in memory at a time."""

_HEAD: Final = ("left_child", "right_child", "feature")
_LEAF: Final = -1


def judge_trees(trees: list[Instance], source: Source) -> str | None:
    """Tell what is wrong with the nodes of trees that have their states, or None; the file is read once."""
    found = [_records(tree) for tree in trees]
    if None in found:
        return "has nodes that are no row of records, each with its children and its column first"
    reader = Reader(source)
    # Two trees may share one array.
    for nodes in sorted({one for one in found if one is not None}, key=lambda one: (one.place, one.features)):
        problem = _judge(nodes, _reader_of(nodes, reader, source))
        if problem is not None:
            return problem
    return None


@dataclass(frozen=True, slots=True)
class _Nodes:
    content: bytes | Blob
    is_text: bool
    width: int
    count: int
    features: int

    @property
    def place(self) -> int:
        return self.content.offset if type(self.content) is Blob else -1


def _judge(nodes: _Nodes, reader: Reader) -> str | None:
    step, count = max(MAX_PIECE // nodes.width, 1), nodes.count
    for start in range(0, count, step):
        piece = reader.read((min(start + step, count) - start) * nodes.width)
        for place, (left, right, feature) in enumerate(struct.iter_unpack(f"<3q{nodes.width - 24}x", piece), start):
            if left == _LEAF:
                continue
            if not (place < left < count and place < right < count and 0 <= feature < nodes.features):
                return f"has a node {place} whose children or column lie elsewhere than in the tree and its rows"
    return None


def _reader_of(nodes: _Nodes, reader: Reader, source: Source) -> Reader:
    content = nodes.content
    if type(content) is not Blob:
        return Reader(Memory(bytes(content)))  # type: ignore[arg-type]
    if nodes.is_text:
        return Reader(_Letters(Part(source, start=content.offset, length=content.length), kind=content.kind))
    if reader.tell() > content.offset:
        return reader  # the same bytes for two trees: the second would read what follows, and is refused there
    reader.skip(content.offset - reader.tell())
    return reader


class _Letters:
    """The bytes that protocols before 3 have as text, each byte a letter, escaped in a line of protocol 0."""

    def __init__(self, text: Part, *, kind: str) -> None:
        self._text = text
        self._encoding = "raw-unicode-escape" if kind == "line" else "utf-8"

    @property
    def size(self) -> int | None:
        """Return nothing: how many bytes there are is not known before they are read."""
        return None

    def chunks(self, start: int = 0) -> Iterator[bytes]:
        """Yield the bytes; what is no byte becomes one that no node has in its place by chance."""
        decoder = codecs.getincrementaldecoder(self._encoding)("replace")
        skip = start
        for piece in itertools.chain(self._text.chunks(), [b""]):
            found = decoder.decode(piece, not piece).encode("latin-1", "replace")
            if found[skip:]:
                yield found[skip:]
            skip = max(0, skip - len(found))


def _records(tree: Instance) -> _Nodes | None:
    parts = array_parts(tree.state.entries["nodes"]) if type(tree.state) is Collection else None
    features = tree.args.items[0]
    if parts is None or type(features) is not int or not _begins_as_nodes(parts.dtype):
        return None
    content, layout, lengths = parts.content, layout_of(parts.dtype), parts.lengths
    is_text = type(content) is Instance and content.maker.name == "encode"
    if type(content) is Instance and content.args.items:
        content = content.args.items[0]
    if is_text and isinstance(content, str):
        content = content.encode("latin-1", "replace")
    if layout is None or lengths is None or len(lengths) != 1 or not isinstance(content, bytes | Blob):
        return None
    return _Nodes(content, is_text=is_text, width=layout.size, count=lengths[0], features=features)


def _begins_as_nodes(dtype: Value) -> bool:
    fields = dtype.state.items[4] if type(dtype) is Instance and type(dtype.state) is Group else None
    if type(fields) is not Collection:
        return False
    for place, name in enumerate(_HEAD):
        match fields.entries.get(name):
            case Group(items=[Instance(args=Group(items=["i8", *_])), int(offset)]) if offset == 8 * place:
                continue
            case _:
                return False
    return True
