"""Numbers, text and bytes of the symbolic machine.

Opcodes after Python's ``pickletools`` and PEP 3154; a long literal is remembered by its place and not kept.
"""

from __future__ import annotations

import codecs
import re
from typing import Final

from weighbridge.checks.model_scan.budget import MAX_KEPT_BYTES
from weighbridge.checks.model_scan.pickle.stack import StackMachine
from weighbridge.checks.model_scan.pickle.values import (
    Blob,
    OldText,
    Opaque,
)

MAX_LINE: Final = 8 * 1024**2
"""Longest text line of protocol 0."""

MAX_LITERAL: Final = 4096
"""Longest text or bytes that are kept; longer ones are remembered by their place."""


_ESCAPED: Final = re.compile(
    rb"""(?:[^\\]|\\(?:[\\'"abfnrtv]|x[0-9a-fA-F]{2}|[0-3][0-7]{0,2}|[4-7][0-7]?(?![0-7])))*""", re.DOTALL
)


class LiteralMachine(StackMachine):
    """The opcodes that push a literal."""

    def none(self) -> None:
        """NONE."""
        self.stack.append(None)

    def true(self) -> None:
        """NEWTRUE."""
        self.stack.append(True)

    def false(self) -> None:
        """NEWFALSE."""
        self.stack.append(False)

    def line_integer(self) -> None:
        """INT and LONG: a decimal line; 00 and 01 are booleans."""
        text = self.reader.line(MAX_LINE)
        if text in (b"00", b"01"):
            self.stack.append(text == b"01")
            return
        digits = text.removesuffix(b"L").strip()
        if not digits.lstrip(b"+-").isdigit():
            self.refuse("an integer line is not a decimal number")
        self.stack.append(int(digits) if len(digits) <= 20 else Opaque.LONG)  # noqa: PLR2004

    def integer1(self) -> None:
        """BININT1."""
        self.stack.append(self.reader.byte())

    def integer2(self) -> None:
        """BININT2."""
        self.stack.append(self.reader.number(2))

    def integer4(self) -> None:
        """BININT."""
        self.stack.append(int.from_bytes(self.reader.read(4), "little", signed=True))

    def _long(self, length: int) -> None:
        if length > MAX_LITERAL:
            self.reader.skip(length)
            self.stack.append(Opaque.LONG)
        else:
            self.stack.append(int.from_bytes(self.reader.read(length), "little", signed=True))

    def long1(self) -> None:
        """LONG1."""
        self._long(self.reader.byte())

    def long4(self) -> None:
        """LONG4."""
        self._long(self.reader.number(4))

    def line_float(self) -> None:
        """FLOAT: a line."""
        try:
            float(self.reader.line(MAX_LITERAL))
        except ValueError:
            self.refuse("a float line is not a number")
        self.stack.append(Opaque.FLOAT)

    def binary_float(self) -> None:
        """BINFLOAT."""
        self.reader.skip(8)
        self.stack.append(Opaque.FLOAT)

    def line_string(self) -> None:
        """STRING: a quoted line with escapes."""
        line = self.reader.line(MAX_LINE).strip()
        if len(line) < 2 or line[:1] not in (b"'", b'"') or line[-1:] != line[:1]:  # noqa: PLR2004
            self.refuse("a string line is not quoted")
        if b"\\" in line and _ESCAPED.fullmatch(line, 1, len(line) - 1) is None:
            # Python warns of other escapes and will refuse them one day; no pickler has ever written one.
            self.refuse("a string line has a wrong escape")
        decoded = codecs.escape_decode(line[1:-1])[0]
        self.stack.append(
            OldText(decoded.decode("latin-1")) if len(decoded) <= MAX_LITERAL else self._line_blob(decoded)
        )

    def _line_blob(self, line: bytes) -> Blob:
        return Blob("line", offset=self.reader.tell() - len(line) - 1, length=len(line))

    def _text(self, length: int) -> None:
        piece = self._piece("text", length)
        if type(piece) is not bytes:
            self.stack.append(piece)
            return
        try:
            self.stack.append(piece.decode("utf-8", "surrogatepass"))
        except UnicodeDecodeError:
            self.refuse("text is not UTF-8")

    def _old_text(self, length: int) -> None:
        piece = self._piece("text", length)
        self.stack.append(OldText(piece.decode("latin-1")) if type(piece) is bytes else piece)

    def _bytes(self, length: int) -> None:
        self.stack.append(self._piece("bytes", length))

    def _piece(self, kind: str, length: int) -> bytes | Blob | Opaque:
        """Read a literal: short ones are kept, long ones by their place, and none once too much is in memory."""
        self._kept += 64 + (length if length <= MAX_LITERAL else 64)  # 64: what Python needs for the object itself
        piece: bytes | Blob
        if length <= MAX_LITERAL:
            piece = self.reader.read(length)
        else:
            piece = Blob(kind, offset=self.reader.tell(), length=length)
            self.reader.skip(length)
        return piece if self._kept <= MAX_KEPT_BYTES else Opaque.FORGOTTEN

    def string4(self) -> None:
        """BINSTRING: its length is signed."""
        length = self.reader.number(4)
        if length >= 1 << 31:
            self.refuse("a string has a negative length")
        self._old_text(length)

    def string1(self) -> None:
        """SHORT_BINSTRING."""
        self._old_text(self.reader.byte())

    def line_unicode(self) -> None:
        """UNICODE: a line in raw-unicode-escape."""
        line = self.reader.line(MAX_LINE)
        try:
            text = line.decode("raw-unicode-escape")
        except UnicodeDecodeError:
            self.refuse("a text line has a wrong escape")
        self.stack.append(text if len(text) <= MAX_LITERAL else self._line_blob(line))

    def unicode1(self) -> None:
        """SHORT_BINUNICODE."""
        self._text(self.reader.byte())

    def unicode4(self) -> None:
        """BINUNICODE."""
        self._text(self.reader.number(4))

    def unicode8(self) -> None:
        """BINUNICODE8."""
        self._text(self.reader.number(8))

    def bytes1(self) -> None:
        """SHORT_BINBYTES."""
        self._bytes(self.reader.byte())

    def bytes4(self) -> None:
        """BINBYTES."""
        self._bytes(self.reader.number(4))

    def bytes8(self) -> None:
        """BINBYTES8 and BYTEARRAY8."""
        self._bytes(self.reader.number(8))
