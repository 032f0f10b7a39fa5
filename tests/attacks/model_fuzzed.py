"""What ``tests/fuzz/pickles`` found: pickles that were called clean and did something, one of each kind, made small.

Each is a name by kind, the bytes, and what loading or using it did. The paths in them lead nowhere.
"""

from __future__ import annotations

from typing import Final

from tests.attacks.model_pickles import name4
from tests.attacks.models import Case

_P4: Final = b"\x80\x04"


def _text(value: str) -> bytes:
    raw = value.encode()
    return b"\x8c" + bytes([len(raw)]) + raw


def _partial(function: bytes, *args: bytes, **keywords: bytes) -> bytes:
    """``functools.partial`` over something, its arguments in the state."""
    pairs = b"".join(_text(key) + value for key, value in keywords.items())
    state = b"(" + function + b"(" + b"".join(args) + b"t}(" + pairs + b"uNt"
    return name4("functools", "partial") + function + b"\x85R" + state + b"b"


def _dtype(code: str, *state: bytes) -> bytes:
    made = name4("numpy", "dtype") + _text(code) + b"\x89\x88\x87R"
    return made + (b"(" + b"".join(state) + b"tb" if state else b"")


_MINUS: Final = b"J\xff\xff\xff\xff"
_OPENER: Final = _partial(name4("numpy", "memmap"), _text("planted"), mode=_text("w+"), shape=b"K\x01\x85")
_TREE: Final = name4("sklearn.tree._classes", "DecisionTreeClassifier")
_INT: Final = _dtype("i8", b"K\x03", _text("<"), b"N", b"N", b"N", _MINUS, _MINUS, b"K\x00")
_OBJECT: Final = _dtype("O8", b"K\x03", _text("|"), b"N", b"N", b"N", _MINUS, _MINUS, b"K\x3f")


def _fields(names: list[str], fields: dict[str, bytes], size: int, flags: int) -> bytes:
    pairs = b"".join(_text(key) + value for key, value in fields.items())
    listed = b"(" + b"".join(_text(name) for name in names) + b"t"
    return _dtype(
        f"V{size}", b"K\x03", _text("|"), b"N", listed, b"}(" + pairs + b"u", b"K" + bytes([size]), b"K\x01",
        b"K" + bytes([flags]),
    )  # fmt: skip


def _at(dtype: bytes, offset: int) -> bytes:
    return dtype + b"J" + offset.to_bytes(4, "little", signed=True) + b"\x86"


_ARRAY: Final = name4("numpy.core.multiarray", "_reconstruct") + name4("numpy", "ndarray")

FUZZED: Final[tuple[tuple[str, bytes, str], ...]] = (
    (
        "planted-method-of-the-class",
        _P4 + _TREE + b")\x81}" + _text("apply") + _OPENER + b"sb.",
        "a partial over numpy.memmap stands in place of a method; the first call opens its file for writing",
    ),
    (
        "planted-class-in-place-of-a-method",
        _P4 + _TREE + b")\x81}" + _text("predict") + name4("builtins", "int") + b"sb.",
        "a class that is only to be named stands in place of a method and is called with the caller's data",
    ),
    (
        "planted-by-a-dict-subclass-as-state",
        _P4 + _TREE + b")\x81" + name4("sklearn.utils", "Bunch") + b")R" + _text("__gt__") + _OPENER + b"sb.",
        "the state is an object that is a dictionary, and nobody looks at its keys",
    ),
    (
        "planted-in-slots-of-a-collection",
        _P4 + name4("collections", "OrderedDict") + b")RN" + name4("builtins", "dict") + b")R" + _text("__dir__")
        + _OPENER + b"s\x86b.",
        "the second half of a slot state is an object that is a dictionary",
    ),
    (
        "planted-class-that-the-next-state-calls",
        _P4 + name4("collections", "OrderedDict") + b")R" + name4("collections", "Counter") + b")R"
        + _text("__setstate__") + name4("numpy", "memmap") + b"s}\x86b" + _text("planted") + b"b.",
        "the first half of a slot state is a dictionary; the class in it is called with the second state, and opens it",
    ),
    (
        "index-of-any-class",
        _P4 + name4("pandas.core.indexes.base", "_new_Index") + name4("numpy", "memmap") + b"}("
        + _text("filename") + _text("planted") + _text("mode") + _text("w+") + _text("shape") + b"K\x01\x85u\x86R.",
        "pandas 2: cls.__new__(cls, **d) of any class that is listed; opens a file at load",
    ),
    (
        "array-of-any-size-before-its-state",
        _P4 + _ARRAY + b"\x8a\x05\x00\x00\x00\x00\x01\x85C\x01b\x87R.",
        "_reconstruct with a shape of 2**32: allocates 4 GiB at load (any (n,) but (0,))",
    ),
    (
        "masked-array-of-any-size-before-its-state",
        _P4 + name4("numpy.core.multiarray", "_reconstruct") + name4("numpy.ma", "MaskedArray")
        + b"\x8a\x06\x00\x00\x00\x00\x00\x01\x85C\x01b\x87R.",
        "the same through another array type",
    ),
    (
        "array-of-objects-that-its-list-lacks",
        _P4 + _ARRAY + b")C\x01b\x87R()" + _dtype("O8") + b"\x89]tb.",
        "an array of one object whose list is empty: a null pointer, and a segmentation fault at load",
    ),
    (
        "dtype-state-of-six-without-names",
        _P4 + _dtype("V20", b"K\x03", _text("|"), b"N", b"}", b"K\x14", b"K\x18") + b".",
        "a state of six, as no numpy of today writes it: fields and no names, a segmentation fault when it is shown",
    ),
    (
        "dtype-state-of-seven-hides-objects",
        _P4
        + _dtype("V8", b"K\x03", _text("|"), b"N", b")", b"}" + _text("a") + _at(_OBJECT, 0) + b"s", b"K\x08", b"K\x01")
        + b".",
        "a state of seven has no flags, and its fields hold objects",
    ),
    (
        "dtype-of-dates-without-unit",
        _P4 + _dtype("M8", b"K\x03", _text("<"), b"N", b"N", b"N", _MINUS, _MINUS, b"K\x00") + b".",
        "a state of eight for a type whose state has nine, the last with its unit: a segmentation fault at load",
    ),
    (
        "dtype-of-durations-without-unit",
        _P4 + _dtype("m8", b"K\x03", _text("<"), b"N", b"N", b"N", _MINUS, _MINUS, b"K\x00") + b".",
        "the same for the other type with a unit",
    ),
    (
        "dtype-of-dates-with-unit-none",
        _P4 + _dtype("M8", b"K\x03", _text("<"), b"N", b"N", b"N", _MINUS, _MINUS, b"K\x00", b"N") + b".",
        "a state of nine whose unit is None",
    ),
    (
        "dtype-flags-of-a-number",
        _P4 + _dtype("f8", b"K\x03", _text("<"), b"N", b"N", b"N", _MINUS, _MINUS, b"K\x04") + b".",
        "a number's dtype with flags that numpy never gives it; with 63 numpy looks for Python objects among numbers",
    ),
    (
        "dtype-flags-beyond-a-byte",
        _P4 + _dtype("f8", b"K\x03", _text("<"), b"N", b"N", b"N", _MINUS, _MINUS, b"J\x00\x80\x00\x00") + b".",
        "flags of 32768",
    ),
    (
        "dtype-flags-hide-objects",
        _P4 + _fields(["a"], {"a": _at(_OBJECT, 0)}, 8, 0) + b".",
        "a field holds objects and the flags say that none does: raw bytes become pointers",
    ),
    (
        "dtype-state-of-six-name-without-field",
        _P4 + name4("numpy", "dtype") + _text("V16") + b"\x85R(K\x03" + _text("|")
        + b"(" + _text("a") + _text("b") + b"t}(" + _text("a") + _at(_INT, 0) + _text("other") + _at(_INT, 8)
        + b"uK\x10K\x10tb.",
        "a state of six, and a name that no field has: a segmentation fault at load or when it is shown",
    ),
    (
        "dtype-field-outside-its-record",
        _P4 + _fields(["a"], {"a": _at(_INT, 100)}, 8, 0) + b".",
        "a field beyond the record's end: reads what lies behind the array",
    ),
    (
        "dtype-field-before-its-record",
        _P4 + _fields(["a"], {"a": _at(_INT, -8)}, 8, 0) + b".",
        "a field before the record",
    ),
    (
        "dtype-code-is-an-expression",
        _P4 + _dtype("(2,)i4") + b".",
        "numpy parses the text by compiling it (ast.literal_eval)",
    ),
    (
        "pandas-dates-over-whole-numbers",
        b'\x80\x02cpandas.core.series\nSeries\n(tq\x00\x81}(N0X\x04\x00\x00\x00_mgrcpandas.core.'
        b'internals.managers\nSingleBlockManager\n)\x81(]q\x01cpandas.core.ind'
        b'exes.base\n_new_Index\nq\x02cpandas.core.indexes.range\nRangeIndex'
        b'\nq\x03}(X\x04\x00\x00\x00nameq\x04NX\x05\x00\x00\x00startq\x05K\x00X\x04\x00\x00\x00stopq\x06K\x02X\x04\x00\x00\x00stepq\x07K\x01u\x86R'
        b'a(cpandas._libs.arrays\n__pyx_unpickle_NDArrayBacked\n]0cpanda'
        b's.core.arrays.datetimes\nDatetimeArray\nJ\x1f\x06\xf1\x04N\x87Rq\x08cnumpy\ndtype'
        b'\nX\x02\x00\x00\x00M8\x89\x88\x87R(K\x04X\x01\x00\x00\x00<NNNJ\xff\xff\xff\xffJ\xff\xff\xff\xffK\x00}(c_codecs\nencode\nX\x02\x00\x00\x00n'
        b'sX\x06\x00\x00\x00latin1\x86RK\x01K\x01K\x01tq\t\x86tbcnumpy.core.multiarray\n_reconstruc'
        b't\ncnumpy\nndarray\nK\x00\x85c_codecs\nencode\nq\nX\x01\x00\x00\x00bX\x06\x00\x00\x00latin1q\x0b\x86R\x87'
        b'R(K\x01K\x0c\x85cnumpy\ndtype\nX\x02\x00\x00\x00i8\x89\x88\x87R(K\x03X\x01\x00\x00\x00<NNNJ\xff\xff\xff\xffJ\xff\xff\xff\xffK\x00tb\x89h\n'
        b'Xh\x00\x00\x00\xc3\xbf\xc3\xbf\xc3\xbf\xc3\xbf\xc3\xbf\xc3\xbf\xc3\xbf\xc3\xbf\x04\x00\x00\x00\x00\x00\x00\x00\x03\x00\x00\x00\x00\x00\x00\x00\t\x00\x00\x00\x00\x00\x00\x00\x00\x00\x00\x00\x00\x00\x00\x00\x01\x00\x00\x00\x00\x00\x00'
        b'\x00\x01\x00\x00\x00\x00\x00\x00\x00\x01\x00\x00\x00\x00\x00\x00\x00\x07\x00\x00\x00\x00\x00\x00\x00\x07\x00\x00\x00\x00\x00\x00\x00\x0b\x00\x00\x00\x00\x00\x00\x00\x03\x00\x00\x00\x00\x00\x00\x00h\x0b\x86Rtq\x0cb}X\x05'
        b'\x00\x00\x00_freqNs\x87bl(h\x02h\x03}(h\x04Nh\x05K\x00h\x06K\x02h\x07K\x01u\x86q\rRl}X\x06\x00\x00\x000.14.1}(X\x04\x00\x00\x00'
        b'axesh\x01X\x06\x00\x00\x00blocks]}(X\x06\x00\x00\x00valuesq\x0eh\x08X\x08\x00\x00\x00mgr_locs(c__builtin_'
        b'_\nslice\nK\x00K\x02(K\x01K\x022t0K\x01ouaustb]0X\x04\x00\x00\x00_typq\x0fX\x06\x00\x00\x00seriesX\t\x00\x00\x00_m'
        b'etadata]X\x05\x00\x00\x00_nameq\x10aU\x05attrs}X\x06\x00\x00\x00_flags}X\x17\x00\x00\x00allows_duplica'
        b'te_labels\x88sh\x10Nub.',
        "pandas 2: a DatetimeArray whose array is of int64, and a block longer than its axis: crashes when it is shown",
    ),
    (
        "fraction-of-a-large-exponent",
        _P4 + name4("fractions", "Fraction") + _text("1e9000000") + b"\x85R.",
        "seconds to hours of arithmetic at load",
    ),
    (
        "shared-tuples-as-a-key",
        _P4 + b"}K\x01" + b"2\x86" * 60 + b"Ns.",
        "the hash of a tuple that doubles with every level, at load",
    ),
    (
        "pandas-array-that-python-made",
        _P4 + name4("pandas.arrays", "DatetimeArray") + b")\x81NN\x86b.",
        "a crash when it is shown: pandas has no array in it",
    ),
    (
        "pandas-array-of-no-axis",
        _P4 + name4("pandas.core.indexes.base", "_new_Index") + name4("pandas", "Index") + b"}\x8c\x04data"
        + name4("pandas._libs.arrays", "__pyx_unpickle_NDArrayBacked") + name4("pandas.arrays", "StringArray")
        + b"J\x9f\x0d\xf1\x04N\x87R" + name4("pandas", "StringDtype") + b")R"
        + name4("numpy._core.multiarray", "_reconstruct") + name4("numpy", "ndarray") + b"K\x00\x85"
        + b"C\x01b\x87R(K\x01)" + name4("numpy", "dtype") + b"\x8c\x02O8\x89\x88\x87R(K\x03\x8c\x01|NNN"
        + b"J\xff\xff\xff\xffJ\xff\xff\xff\xffK?tb\x89]\x8c\x01aatb\x86bs\x86R.",
        "a crash at load: native code counts along an axis that is not there",
    ),
    (
        "categories-that-python-made",
        _P4 + name4("pandas.core.arrays.categorical", "Categorical") + b")\x81}\x8c\x05_freqNsb.",
        "the same",
    ),
    (
        "shared-tuples-in-a-set",
        _P4 + b"\x8f(" + b"K\x01" + b"2\x86" * 60 + b"\x90.",
        "the same in a set",
    ),
    (
        "shared-tuples-in-frozensets",
        _P4 + b"(K\x01" + b"2\x86" * 60 + b"\x91.",
        "the same in a frozenset",
    ),
)  # fmt: skip
"""Name, bytes, and what was seen."""


def cases() -> list[Case]:
    """Return everything that was found, as hostile files."""
    return [Case("fuzzed", name, "m.pkl", data) for name, data, _ in FUZZED]
