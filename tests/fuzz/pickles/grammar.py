"""Pickles made from nothing but the listed names: what each call looks like, with odd values here and there.

The coupling to the allow lists is thin on purpose: names by module, nothing of their rules. A name that has a form
below is mostly called in it; any other is called with anything.
"""

from __future__ import annotations

import random
from collections.abc import Callable
from typing import Any, Final

from tests.fuzz.pickles.tree import Literal, Make, Mapping, Name, Node, Sequence

Path = tuple[str, str]

PATH: Final = "planted"
"""The file that a pickle would open. The loader's folder is empty and stays so."""

TEXTS: Final = (
    "", "a", "auto", PATH, "w+", "r", "r+", "u1", "O", "C", "F", "latin1", "utf-8", "os", "int64", "rbf", "mean",
    "euclidean", "filename", "file", "__class__", "__setstate__", "x" * 300, "\ud800", "ü", "1e9", "0" * 30,
    "numpy", "2026-01-01",
)  # fmt: skip
NUMBERS: Final = (
    0, 1, 2, 3, 4, 8, 16, -1, -2, 63, 127, 255, 256, 1000, 2**15, 2**31 - 1, -(2**31), 2**31, 2**32, 2**62,
    2**63 - 1, 2**63, -(2**63), 2**64, 10**11, 10**30,
)  # fmt: skip
FLOATS: Final = (0.0, 1.0, -1.0, 0.5, 1e-9, 1e308, float("inf"), float("nan"), -0.0)
CODES: Final = (
    "f8", "f4", "i4", "i8", "u1", "b1", "O8", "O", "V8", "V16", "V1", "V0", "U1", "U4", "S3", "S0", "c16", "M8",
    "m8", "f2", "f16", "U0", "i2", "<f8", ">i4", "|u1", "=f8", "T", "n", "P", "i4,f8", "(2,)i4", "O,O", "u1,O",
)  # fmt: skip


def tuple_(*items: Node) -> Sequence:
    """Return a tuple."""
    return Sequence("tuple", list(items))


def lit(value: Any) -> Literal:
    """Return a literal."""
    return Literal(value)


def mapping(**values: Node) -> Mapping:
    """Return a dictionary with text keys."""
    return Mapping([(lit(key), value) for key, value in values.items()])


class Grammar:
    """Makes nodes at random."""

    def __init__(self, rng: random.Random, *, listed: frozenset[Path], parameters: dict[Path, tuple[str, ...]]) -> None:
        self.rng = rng
        self.listed = sorted(listed)
        self._by_name: dict[str, list[Path]] = {}
        for path in self.listed:
            self._by_name.setdefault(path[1], []).append(path)
        self._parameters = parameters
        self._files = [path for path, names in sorted(parameters.items()) if any(_is_file(name) for name in names)]
        from tests.fuzz.pickles.forms import forms

        self._forms = {name: form for name, form in forms(self).items() if name in self._by_name}

    # --- leaves ---

    def literal(self) -> Literal:  # noqa: PLR0911 - one a kind
        """Return any literal."""
        rng = self.rng
        match rng.randrange(10):
            case 0 | 1:
                return lit(rng.choice(TEXTS))
            case 2 | 3:
                return lit(self.number())
            case 4:
                return lit(rng.choice(FLOATS))
            case 5:
                return lit(rng.choice((True, False)))
            case 6:
                return lit(self.raw())
            case 7:
                return lit(rng.randrange(10))
            case 8:
                return lit(rng.random())
            case _:
                return lit(None)

    def number(self) -> int:
        """Return a whole number, mostly small."""
        return self.rng.choice(NUMBERS) if self.rng.random() < 0.4 else self.rng.randrange(6)

    def raw(self) -> bytes:
        """Return bytes."""
        rng = self.rng
        return rng.choice(
            (b"", b"A" * 8, b"b", b"\x00" * 8, b"A" * 64, rng.randbytes(rng.randrange(1, 20)), b"N.", b"cos\nsystem\n.")
        )

    def name(self, *names: str) -> Name:
        """Return an imported name: one of these, where it is listed, or any."""
        known = [path for name in names for path in self._by_name.get(name, ())]
        return Name(*self.rng.choice(known or self.listed))

    def value(self, depth: int = 3) -> Node:  # noqa: PLR0911 - one a kind
        """Return anything."""
        rng = self.rng
        if depth <= 0:
            return self.literal()
        match rng.randrange(12):
            case 0 | 1 | 2 | 3:
                return self.literal()
            case 4:
                return Sequence(rng.choice(("tuple", "list")), [self.value(depth - 1) for _ in range(rng.randrange(4))])
            case 5:
                return Mapping([(lit(rng.choice(TEXTS)), self.value(depth - 1)) for _ in range(rng.randrange(4))])
            case 6:
                return Sequence(rng.choice(("set", "frozenset")), [self.literal() for _ in range(rng.randrange(3))])
            case 7:
                return self.name()
            case 8 | 9 | 10:
                return self.formed(depth - 1)
            case _:
                return self.called(depth - 1)

    # --- calls ---

    def called(self, depth: int) -> Make:
        """Call any listed name with anything."""
        rng = self.rng
        path = rng.choice(self.listed)
        how = rng.choice(("reduce", "reduce", "newobj", "newobj", "obj", "inst", "newobj-ex"))
        if rng.random() < 0.4:
            args = [self.value(depth - 1) for _ in range(rng.randrange(4))]
        else:
            args = [] if rng.random() < 0.5 else [self._argument(name) for name in self._parameters.get(path, ())[:4]]
        made = Make(Name(*path), tuple_(*args), how)
        if rng.random() < 0.4:
            made.states = [self.value(depth - 1) for _ in range(rng.choice((1, 1, 2)))]
        return made

    def formed(self, depth: int) -> Node:
        """Call a listed name in the form that its pickles have."""
        if not self._forms:
            return self.literal()
        return self._forms[self.rng.choice(list(self._forms))](depth)

    def sink(self) -> Node:
        """Return something that does harm when it is called: a listed name with its arguments filled in."""
        rng = self.rng
        path = rng.choice(self._files) if self._files and rng.random() < 0.6 else rng.choice(self.listed)
        if rng.random() < 0.25:
            return Name(*path)
        names = self._parameters.get(path, ())
        args, keywords = self._filled(names)
        return self._partial_of(Name(*path), args, keywords)

    def _filled(self, names: tuple[str, ...]) -> tuple[Sequence, Mapping]:
        rng = self.rng
        split = rng.randrange(min(len(names), 4) + 1)
        args = [self._argument(name) for name in names[:split]]
        chosen = [
            name for name in names[split:] if _is_file(name) or name in ("mode", "shape", "dtype") or rng.random() < 0.2
        ]
        return tuple_(*args), Mapping([(lit(name), self._argument(name)) for name in chosen])

    def _argument(self, name: str) -> Node:
        rng = self.rng
        if rng.random() < 0.08:
            return self.literal()
        if _is_file(name):
            return lit(PATH)
        known: dict[str, Callable[[], Node]] = {
            "mode": lambda: lit(rng.choice(("w+", "r+", "w", "r"))),
            "shape": lambda: tuple_(lit(rng.choice((0, 1, 4)))),
            "dtype": lambda: rng.choice((lit("u1"), self.dtype(1), self.name("float64", "uint8"))),
            "offset": lambda: lit(0),
            "order": lambda: lit("C"),
            "axis": lambda: lit(0),
        }
        return known[name]() if name in known else self.literal()

    def _partial_of(self, function: Node, args: Sequence, keywords: Mapping) -> Node:
        if "partial" not in self._by_name:
            return function
        rng = self.rng
        made = Make(self.name("partial"), tuple_(function))
        swapped = function if rng.random() < 0.95 else self.name()
        made.states = [tuple_(swapped, args, keywords, rng.choice((lit(None), lit(None), Mapping())))]
        return made

    def dtype(self, depth: int = 2) -> Node:
        """Return a dtype, sound or forged."""
        rng = self.rng
        code = rng.choice(CODES)
        made = Make(self.name("dtype"), tuple_(lit(code), lit(False), lit(True)))
        if rng.random() < 0.2:
            return made
        names: Node = lit(None)
        fields: Node = lit(None)
        sub: Node = lit(None)
        size, align, flags = -1, -1, 63 if "O" in code else 0
        if code.startswith("V") and depth > 0:
            size, align = rng.choice((1, 8, 16)), 1
            if rng.random() < 0.7:
                labels = rng.choice((["a"], ["a", "b"], []))
                inner = [self.dtype(depth - 1) for _ in labels]
                names = tuple_(*(lit(label) for label in labels))
                places = [lit(rng.choice((0, 0, 8, 4, -8, 100))) for _ in labels]
                fields = Mapping([(lit(k), tuple_(v, p)) for k, v, p in zip(labels, inner, places, strict=True)])
                flags = rng.choice((0, 0, 16, 27, 63))
            else:
                sub = tuple_(self.dtype(depth - 1), tuple_(lit(rng.choice((1, 2, 2**40, -1)))))
        elif code[0] in "USV":
            size, align = rng.choice((4, 12, 0, 3, 2**31 - 1, -4)), rng.choice((4, 1, 0))
        if rng.random() < 0.15:
            size, align, flags = self.number(), self.number(), self.number()
        order = rng.choice(("|", "<", "<", ">", "="))
        state = [lit(rng.choice((3, 3, 3, 4, 2, 1))), lit(order), sub, names, fields, lit(size), lit(align), lit(flags)]
        if rng.random() < 0.1:
            state.append(
                rng.choice((Mapping(), lit(None), tuple_(Mapping(), tuple_(lit("s"), lit(1), lit(1), lit(1)))))
            )
        made.states = [tuple_(*state)]
        return made

    def array(self, depth: int = 2) -> Node:
        """Return an array, whole or with a state that does not fit."""
        rng = self.rng
        count = rng.choice((0, 1, 1, 2, 3))
        kind = self.name("ndarray", "ndarray", "ndarray", "matrix", "memmap", "recarray", "MaskedArray")
        made = Make(self.name("_reconstruct"), tuple_(kind, tuple_(lit(rng.choice((0, 0, 0, 1, 2**40)))), lit(b"b")))
        if rng.random() < 0.5:
            code, width = rng.choice((("f8", 8), ("i4", 4), ("u1", 1)))
            kind_of = Make(self.name("dtype"), tuple_(lit(code), lit(False), lit(True)))
            sign = "|" if width == 1 else "<"
            kind_of.states = [tuple_(lit(3), lit(sign), lit(None), lit(None), lit(None), lit(-1), lit(-1), lit(0))]
            data: Node = lit(rng.randbytes(width * count))
            dtype: Node = kind_of
        else:
            dtype = self.dtype(depth - 1)
            data = (
                lit(self.raw())
                if rng.random() < 0.6
                else Sequence("list", [self.value(depth - 1) for _ in range(count)])
            )
        shape = (
            tuple_(lit(count)) if rng.random() < 0.8 else tuple_(*(lit(self.number()) for _ in range(rng.randrange(4))))
        )
        made.states = [tuple_(lit(1), shape, dtype, lit(rng.random() < 0.2), data)]
        return made

    def nested(self) -> Node:
        """Return a value that doubles with each level, where it is not shared."""
        rng = self.rng
        node: Node = rng.choice((tuple_(), lit(1), lit("a")))
        for _ in range(rng.choices((3, 8, 12, 60), (6, 4, 4, 1))[0]):
            node = tuple_(node, node) if rng.random() < 0.9 else Sequence("frozenset", [node])
        return node

    def key(self) -> Node:
        """Return a dictionary's key."""
        rng = self.rng
        roll = rng.random()
        if roll < 0.75:
            return lit(rng.choice(TEXTS))
        return self.nested() if roll < 0.8 else self.literal() if roll < 0.95 else self.formed(1)

    def keywords(self) -> Node:
        """Return keyword arguments of any listed name."""
        names = self._parameters.get(self.rng.choice(self._files or self.listed), ())
        return self._filled(names)[1]


def _is_file(name: str) -> bool:
    return name.lower() in (
        "filename",
        "file",
        "path",
        "fname",
        "filepath",
        "f",
        "fp",
        "filepath_or_buffer",
        "model_file",
    )
