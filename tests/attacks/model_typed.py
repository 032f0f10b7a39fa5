"""Hostile pickles that import nothing but listed names: each uses one in a way that no library ever writes.

Loading most of them would truncate a file that does not exist here, take all memory, or read foreign memory; nothing
loads them. Each name says the rule that refuses it.
"""

from __future__ import annotations

import struct
from collections.abc import Iterator

from tests.attacks.model_containers import torch_archive
from tests.attacks.model_pickles import name4
from tests.attacks.models import Case

NONE, YES, NO, HEAD = b"N", b"\x88", b"\x89", b"\x80\x04"


def text(value: str) -> bytes:
    """Push short text."""
    raw = value.encode()
    return b"\x8c" + bytes([len(raw)]) + raw


def number(value: int) -> bytes:
    """Push a whole number of any size."""
    if -(1 << 31) <= value < 1 << 31:
        return b"J" + struct.pack("<i", value)
    raw = value.to_bytes(value.bit_length() // 8 + 1, "little", signed=True)
    return b"\x8a" + bytes([len(raw)]) + raw


def raw(value: bytes) -> bytes:
    """Push bytes."""
    return b"B" + struct.pack("<I", len(value)) + value


def row(*items: bytes) -> bytes:
    """Push a tuple."""
    return b"(" + b"".join(items) + b"t"


def many(*items: bytes) -> bytes:
    """Push a list."""
    return b"](" + b"".join(items) + b"e"


def table(**items: bytes) -> bytes:
    """Push a dictionary."""
    return b"}(" + b"".join(text(key) + value for key, value in items.items()) + b"u"


def call(function: bytes, *arguments: bytes) -> bytes:
    """Call what is pushed first."""
    return function + row(*arguments) + b"R"


def made(kind: bytes, state: bytes = b"") -> bytes:
    """Make an object without arguments, and give it a state."""
    return kind + b")\x81" + (state + b"b" if state else b"")


def dtype(
    code: str, *, names: bytes = NONE, fields: bytes = NONE, size: int = -1, align: int = -1, flags: int = 0,
    order: str = "|", base: bytes = NONE,
) -> bytes:  # fmt: skip
    """Make a dtype with its state."""
    state = row(number(3), text(order), base, names, fields, number(size), number(align), number(flags))
    return call(name4("numpy", "dtype"), text(code), NO, YES) + state + b"b"


FLOATS = dtype("f8", order="<")
OBJECTS = dtype("O8", flags=63)


def array(kind: bytes, *, shape: tuple[int, ...], data: bytes, start: int = 0) -> bytes:
    """Make an array of a dtype with its data."""
    empty = call(
        name4("numpy.core.multiarray", "_reconstruct"), name4("numpy", "ndarray"), row(number(start)), raw(b"b")
    )
    return empty + row(number(1), row(*map(number, shape)), kind, NO, data) + b"b"


def prepared(function: bytes, *arguments: bytes, **keywords: bytes) -> bytes:
    """Make a ``functools.partial``."""
    return (
        call(name4("functools", "partial"), function) + row(function, row(*arguments), table(**keywords), NONE) + b"b"
    )


ORDERED, BUNCH = name4("collections", "OrderedDict"), name4("sklearn.utils._bunch", "Bunch")
MEMMAP, POWER = name4("numpy", "memmap"), name4("numpy", "power")
TREE, LINEAR = name4("sklearn.tree._classes", "DecisionTreeClassifier"), name4("torch.nn.modules.linear", "Linear")
OPENER = prepared(MEMMAP, text("victim"), mode=text("w+"), shape=row(number(1)))
HARMLESS = prepared(name4("numpy", "clip"), a_min=number(0), a_max=number(1))


def _planted() -> Iterator[tuple[str, bytes]]:
    yield "method-by-partial", made(TREE, table(predict=OPENER))
    yield "method-by-function", made(TREE, table(predict=name4("numpy", "exp")))
    yield "method-by-class", made(TREE, table(predict=MEMMAP))
    yield "method-by-number", made(TREE, table(predict=number(1)))
    yield "special-attribute", made(TREE, table(__setstate__=HARMLESS))
    yield "version-that-is-a-dtype", made(TREE, table(_sklearn_version=dtype("V1", size=1, align=1)))
    yield "unlisted-attribute-holds-object", made(TREE, table(helper=made(TREE)))
    yield "unlisted-attribute-holds-function", made(TREE, table(helper=name4("numpy", "exp")))
    yield "unlisted-attribute-holds-objects-in-list", made(TREE, table(helper=many(made(TREE))))
    yield "array-type-as-data", made(TREE, table(criterion=MEMMAP))
    yield "class-as-data", made(TREE, table(criterion=TREE))
    yield "class-in-list", many(TREE)
    yield "state-is-an-ordered-dictionary", made(TREE, call(ORDERED) + b"(" + text("predict") + HARMLESS + b"u")
    yield "state-is-a-bunch", made(TREE, call(BUNCH) + b"(" + text("predict") + HARMLESS + b"u")
    yield "state-by-computed-key", made(TREE, b"}(" + call(name4("builtins", "complex"), number(1)) + NONE + b"u")
    yield "slots-is-an-object", made(TREE, row(NONE, call(ORDERED)))
    yield "slots-hold-a-method", made(TREE, row(NONE, table(predict=HARMLESS)))
    yield "ordered-dictionary-with-attributes", call(ORDERED) + table(keys=HARMLESS) + b"b"
    yield "counter-with-attributes", call(name4("collections", "Counter")) + table(keys=HARMLESS) + b"b"
    yield "second-state", made(TREE, table(criterion=text("gini"))) + table(max_depth=number(1)) + b"b"
    yield "state-changed-after", (
        name4("sklearn.tree._classes", "DecisionTreeClassifier") + b")\x81}\x94bh\x000h\x00" + text("predict")
        + HARMLESS + b"s"
    )  # fmt: skip
    yield "function-under-the-name-of-an-array-type", table(subclass=name4("torch.storage", "_load_from_bytes"))
    yield "hooks", made(LINEAR, table(_forward_hooks=call(ORDERED) + number(0) + name4("numpy", "exp") + b"s"))
    yield (
        "hooks-filled-after",
        (
            b"}\x940"
            + made(LINEAR, table(_forward_hooks=b"h\x00"))
            + b"0h\x00"
            + number(0)
            + name4("numpy", "exp")
            + b"s"
        ),
    )
    yield (
        "reads-files",
        made(name4("sklearn.feature_extraction.text", "CountVectorizer"), table(input=text("filename"))),
    )


def _chosen() -> Iterator[tuple[str, bytes]]:
    stack, table_class = (
        name4("sklearn.ensemble._stacking", "StackingClassifier"),
        name4("pandas.core.frame", "DataFrame"),
    )
    frozen, chosen = name4("sklearn.frozen._frozen", "FrozenEstimator"), many(text("eval"))
    yield "stacking-calls-a-method-by-name", made(stack, table(stack_method_=chosen))
    yield "stacking-asks-for-a-method-by-name", made(stack, table(stack_method=text("eval")))
    yield (
        "stacking-method-changed-after",
        b"]q\x00("
        + text("predict")
        + b"e0"
        + made(stack, table(stack_method_=b"h\x00"))
        + b"0h\x00"
        + text("eval")
        + b"a",
    )
    yield "frozen-table", made(frozen, table(estimator=call(table_class)))
    transformer = name4("sklearn.preprocessing._function_transformer", "FunctionTransformer")
    arguments = table(initial=text("anything"), where=NO, dtype=text("O"))
    yield "function-returns-what-it-is-told", made(transformer, table(func=name4("numpy", "sum"), kw_args=arguments))
    yield (
        "million-workers",
        made(name4("sklearn.ensemble._forest", "RandomForestClassifier"), table(n_jobs=number(1000000))),
    )
    yield "booster-at-no-address", made(name4("lightgbm.basic", "Booster"), table(_handle=NONE))


def nodes(left: int, right: int, column: int, *, features: int = 2) -> bytes:
    """Make a tree of three nodes, the first with such children and such a column."""
    places = zip(("left_child", "right_child", "feature"), (0, 8, 16), strict=True)
    whole = dtype("i8", order="<")
    fields = {name: row(whole, number(place)) for name, place in places}
    kind = dtype("V24", names=row(*map(text, fields)), fields=table(**fields), size=24, align=1, flags=16)
    leaf = struct.pack("<3q", -1, -1, -2)
    content = array(kind, shape=(3,), data=raw(struct.pack("<3q", left, right, column) + leaf * 2))
    counts = array(whole, shape=(1,), data=raw(bytes([1]) + bytes(7)))
    state = table(
        max_depth=number(1), node_count=number(3), nodes=content, values=array(FLOATS, shape=(0,), data=raw(b""))
    )
    return call(name4("sklearn.tree._tree", "Tree"), number(features), counts, number(1)) + state + b"b"


def _trees() -> Iterator[tuple[str, bytes]]:
    yield "child-outside", nodes(1 << 40, 2, 0)
    yield "child-before", nodes(0, 2, 0)
    yield "child-that-is-negative", nodes(1, -9, 0)
    yield "column-outside", nodes(1, 2, 1 << 40)


def _bombs() -> Iterator[tuple[str, bytes]]:
    twice = b"](h\x00h\x00eq\x000"
    yield "lists-of-twice-the-last", b"]q\x000" + twice * 40 + b"h\x00"
    again = call(name4("builtins", "tuple"), many(b"h\x00", b"h\x00")) + b"q\x000"
    yield "key-of-tuples-by-calls", b"}" + call(name4("builtins", "tuple")) + b"q\x000" + again * 40 + b"h\x00Ns"
    yield "tuples-too-deep-to-hash", b")" + b"\x85" * 20_000
    yield (
        "long-text-again-and-again",
        b"]X" + struct.pack("<I", 1 << 20) + b"x" * (1 << 20) + b"q\x000(" + b"h\x00" * 500 + b"e",
    )
    masked = call(
        name4("numpy.ma.core", "_mareconstruct"), name4("numpy.ma.core", "MaskedArray"), name4("numpy", "ndarray"),
        row(number(0)), raw(b"b"),
    )  # fmt: skip
    fill = row(b"h\x00", b"h\x00")
    fill = masked + row(number(1), row(number(0)), FLOATS, NO, raw(b""), raw(b""), fill) + b"b"
    yield "fill-values-of-twice-the-last", b"]q\x000" + (fill + b"q\x000") * 40 + b"h\x00"
    empty = dtype("S0", size=0, align=1)
    yield "elements-of-no-bytes", array(empty, shape=(1 << 30, 1 << 30), data=raw(b""))
    field = b"h\x00" + number(0) + b"\x86"
    pair = dtype("V0", names=row(text("a"), text("b")), fields=table(a=field, b=field), size=0, align=1, flags=16)
    yield "dtypes-of-twice-the-last", empty + b"q\x000" + (pair + b"q\x000") * 40 + b"h\x00"
    one = dtype("V0", names=row(text("a")), fields=table(a=field), size=0, align=1, flags=16)
    yield "dtypes-too-deep", empty + b"q\x000" + (one + b"q\x000") * 40 + b"h\x00"
    yield "date-without-unit", array(dtype("M8", order="<"), shape=(1,), data=raw(bytes(8)))
    yield "duration-without-unit", array(dtype("m8", order="<"), shape=(1,), data=raw(bytes(8)))


def _calls() -> Iterator[tuple[str, bytes]]:
    yield "partial-of-a-class", OPENER
    yield "partial-of-a-constructor", prepared(name4("builtins", "bytearray"), number(1 << 40))
    yield "partial-writes-elsewhere", prepared(name4("numpy", "exp"), out=array(FLOATS, shape=(1,), data=raw(bytes(8))))
    yield "partial-of-objects", prepared(POWER, dtype=text("O"))
    yield "partial-with-arguments", prepared(POWER, number(9), number(9))
    yield (
        "partial-of-another-function",
        (call(name4("functools", "partial"), POWER) + row(name4("numpy", "exp"), row(), table(), NONE) + b"b"),
    )
    yield "array-type-called", call(MEMMAP, text("victim"))
    yield "type-called", call(name4("numpy", "void"), number(1 << 40))
    yield "estimator-called-with-arguments", call(TREE, text("gini"))
    yield "reconstructor-of-a-type", call(name4("copyreg", "_reconstructor"), MEMMAP, name4("builtins", "object"), NONE)
    yield (
        "reconstructor-by-another-base",
        call(name4("copyreg", "_reconstructor"), TREE, name4("builtins", "dict"), b"}"),
    )
    yield "new-object-of-a-type", call(name4("copyreg", "__newobj__"), MEMMAP, text("victim"))
    index = name4("pandas.core.indexes.base", "_new_Index")
    yield "index-of-any-class", call(index, MEMMAP, table(filename=text("victim"), mode=text("w+")))
    yield "index-with-other-parts", call(index, name4("pandas.core.indexes.base", "Index"), table(tupleize_cols=YES))
    yield (
        "index-of-a-range-without-end",
        call(
            index,
            name4("pandas.core.indexes.range", "RangeIndex"),
            table(start=number(0), stop=number(1 << 60), step=number(1)),
        ),
    )
    yield "block-of-a-function", call(name4("pandas._libs.internals", "_unpickle_block"), POWER, number(1), number(2))
    block = name4("pandas._libs.internals", "_unpickle_block")
    row_of = array(FLOATS, shape=(1, 1), data=raw(bytes(8)))
    before = array(dtype("i8", order="<"), shape=(1,), data=raw(struct.pack("<q", -(1 << 22))))
    yield (
        "block-before-its-frame",
        call(block, row_of, call(name4("pandas._libs.internals", "BlockPlacement"), before), number(2)),
    )
    yield (
        "block-by-slice-before-its-frame",
        call(block, row_of, call(name4("builtins", "slice"), number(-9), number(-8), number(1)), number(2)),
    )
    rebuild = name4("numpy.core.multiarray", "_reconstruct")
    yield "block-of-an-array-without-data", call(
        block, call(rebuild, name4("numpy", "ndarray"), row(number(0)), raw(b"b")),
        call(name4("builtins", "slice"), number(0), number(1), number(1)), number(2),
    )  # fmt: skip
    backed = name4("pandas._libs.arrays", "__pyx_unpickle_NDArrayBacked")
    dates = name4("pandas.core.arrays.datetimes", "DatetimeArray")
    categories = name4("pandas.core.arrays.categorical", "Categorical")
    yield "categories-without-data", categories + b")\x81"
    yield "dates-without-data", call(backed, dates, number(82904607), NONE)
    yield "array-by-another-type", call(rebuild, name4("numpy", "ndarray"), row(number(0)), text("1e9"))
    yield "tree-of-more-outputs-than-classes", call(
        name4("sklearn.tree._tree", "Tree"), number(4), array(dtype("i8", order="<"), shape=(1,), data=raw(bytes(8))),
        number((1 << 31) - 1),
    )  # fmt: skip
    yield "dates-of-floats", call(backed, dates, number(82904607), NONE) + row(row_of, FLOATS, table()) + b"b"
    yield "encode-by-another-codec", call(name4("_codecs", "encode"), text("x"), text("rot13"))
    yield "default-of-any-class", call(name4("collections", "defaultdict"), TREE)


def _memory() -> Iterator[tuple[str, bytes]]:
    field = row(OBJECTS, number(0))
    yield "flags-hide-objects", dtype("V8", names=row(text("a")), fields=table(a=field), size=8, align=1, flags=0)
    yield "flags-of-a-number", dtype("f8", order="<", flags=63)
    yield "size-of-a-number", dtype("f8", order="<", size=16)
    yield "size-of-text", dtype("S8", size=800, align=1)
    both = table(a=field, b=row(FLOATS, number(0)))
    yield "number-over-object", dtype("V8", names=row(text("a"), text("b")), fields=both, size=8, align=1, flags=27)
    yield (
        "field-outside",
        dtype("V8", names=row(text("a")), fields=table(a=row(FLOATS, number(4096))), size=8, align=1, flags=16),
    )
    yield (
        "field-without-name",
        dtype("V8", names=row(text("a")), fields=table(b=row(FLOATS, number(0))), size=8, align=1, flags=16),
    )
    yield "dtype-that-is-no-copy", call(name4("numpy", "dtype"), text("f8"), NO, NO)
    yield "dtype-by-expression", call(name4("numpy", "dtype"), text("f8,O"), NO, YES)
    yield "dtype-without-state", array(call(name4("numpy", "dtype"), text("O8"), NO, YES), shape=(0,), data=b"]")
    yield "fewer-objects-than-shape", array(OBJECTS, shape=(9,), data=many(NONE))
    yield "objects-from-bytes", array(OBJECTS, shape=(1,), data=raw(b"A" * 8))
    yield "fewer-bytes-than-shape", array(FLOATS, shape=(9,), data=raw(bytes(8)))
    yield "array-made-long", array(FLOATS, shape=(0,), data=raw(b""), start=1 << 40)
    yield "negative-shape", array(FLOATS, shape=(-1,), data=raw(b""))
    yield "scalar-of-objects", call(name4("numpy.core.multiarray", "scalar"), OBJECTS, raw(b"A" * 8))
    yield (
        "buffer-of-objects",
        call(name4("numpy.core.numeric", "_frombuffer"), raw(b"A" * 8), OBJECTS, row(number(1)), text("C")),
    )
    ctor = name4("numpy.random._pickle", "__bit_generator_ctor")
    state = table(bit_generator=text("MT19937"), state=table(pos=number(1 << 30), key=raw(b"")))
    yield "random-position-outside", call(ctor, text("MT19937")) + state + b"b"
    holds_itself = b"}\x94(" + text("state") + b"h\x00u"
    yield "random-state-that-holds-itself", call(ctor, text("PCG64")) + holds_itself + b"b"
    state = table(bit_generator=text("Philox"), buffer_pos=number(-9))
    yield "random-position-before", call(ctor, text("Philox")) + state + b"b"


def _work() -> Iterator[tuple[str, bytes]]:
    yield "fraction-of-an-exponent", call(name4("fractions", "Fraction"), text("1e900000000"))
    yield "decimal-of-an-exponent", call(name4("decimal", "Decimal"), text("1e900000000"))
    yield "range-without-end", call(name4("builtins", "range"), number(0), number(1 << 60), number(1))
    yield "bytes-of-a-length", call(name4("builtins", "bytes"), number(1 << 40))
    yield "bytearray-of-a-length", call(name4("builtins", "bytearray"), number(1 << 40))
    yield (
        "size-of-a-range",
        call(name4("torch", "Size"), call(name4("builtins", "range"), number(0), number(9), number(1))),
    )
    yield "key-of-tuples", b"})" + b"2\x86" * 60 + b"Ns"
    yield "set-of-tuples", b"\x8f()" + b"2\x86" * 60 + b"\x90"
    yield "frozenset-of-tuples", b"()" + b"2\x86" * 60 + b"\x91"
    yield "key-of-deep-tuples", b"})" + b"\x85" * 20_000 + b"Ns"
    yield "set-made-of-a-list", call(name4("builtins", "set"), many(b")" + b"2\x86" * 60))
    big = raw(bytes(1 << 20))
    encode = name4("builtins", "bytearray")
    yield "same-bytes-again", b"](" + big + b"\x940" + (encode + b"(h\x00tR") * 200 + b"e"


def _tensors() -> Iterator[tuple[str, bytes]]:
    storage = b"(" + text("storage") + name4("torch", "FloatStorage") + text("0") + text("cpu") + b"K\x04tQ"
    hooks = call(ORDERED)

    def tensor(offset: int, sizes: tuple[int, ...], steps: tuple[int, ...], hooks: bytes = hooks) -> bytes:
        return call(
            name4("torch._utils", "_rebuild_tensor_v2"), storage, number(offset), row(*map(number, sizes)),
            row(*map(number, steps)), NO, hooks,
        )  # fmt: skip

    yield "tensor-beyond-its-storage", tensor(0, (5,), (1,))
    yield "tensor-by-steps-beyond", tensor(0, (2,), (4,))
    yield "tensor-by-offset-beyond", tensor(4, (1,), (1,))
    yield "tensor-before-its-storage", tensor(-1, (1,), (1,))
    yield "tensor-expanded-without-end", tensor(0, (1 << 30, 1 << 30), (0, 0))
    yield "tensor-with-hooks", tensor(0, (1,), (1,), hooks + number(0) + name4("numpy", "exp") + b"s")
    yield "tensor-of-no-storage", tensor(0, (1,), (1,)).replace(storage, made(TREE), 1)
    parameter = name4("torch._utils", "_rebuild_parameter")
    yield "parameter-of-an-object", call(parameter, call(ORDERED) + table(detach=HARMLESS) + b"b", YES, hooks)
    yield "parameter-of-an-estimator", call(parameter, made(TREE), YES, hooks)
    typed = name4("torch._tensor", "_rebuild_from_type_v2")
    inner = row(storage, number(0), row(number(1)), row(number(1)), NO, hooks)
    rebuild = name4("torch._utils", "_rebuild_tensor_v2")
    yield "typed-with-a-method", call(typed, rebuild, name4("torch", "Tensor"), inner, table(detach=number(1)))
    yield "typed-with-an-object", call(typed, rebuild, name4("torch", "Tensor"), inner, table(note=made(TREE)))
    yield "typed-of-another-class", call(typed, rebuild, TREE, inner, NONE)
    yield "device-by-another-name", call(name4("torch", "device"), text("privateuseone:0"))


def cases() -> list[Case]:
    """Return every case: pickles, and torch archives of them."""
    found = []
    for category, source in (
        ("planted", _planted),
        ("calls", _calls),
        ("memory", _memory),
        ("work", _work),
        ("chosen", _chosen),
        ("trees", _trees),
        ("bombs", _bombs),
    ):
        for name, content in source():
            found.append(Case(f"typed-{category}", name, f"{name}.pkl", HEAD + content + b"."))
    for name, content in _tensors():
        found.append(
            Case("typed-tensors", name, f"{name}.pt", torch_archive(HEAD + content + b".", storages={"0": bytes(16)}))
        )
    return found


def siblings() -> list[Case]:
    """Return honest pickles built of the same parts: what is refused above is refused for what is wrong with it."""
    storage = b"(" + text("storage") + name4("torch", "FloatStorage") + text("0") + text("cpu") + b"K\x04tQ"
    tensor = call(
        name4("torch._utils", "_rebuild_tensor_v2"),
        storage,
        number(1),
        row(number(3)),
        row(number(1)),
        NO,
        call(ORDERED),
    )
    both = table(a=row(OBJECTS, number(0)), b=row(FLOATS, number(8)))
    record = dtype("V16", names=row(text("a"), text("b")), fields=both, size=16, align=1, flags=27)
    index = name4("pandas.core.indexes.base", "_new_Index")
    kind = name4("pandas.core.indexes.range", "RangeIndex")
    found = {
        "attributes": made(TREE, table(predict_note=number(1), criterion=text("gini"), helper=many(number(1)))),
        "partial": HARMLESS,
        "slots": made(TREE, row(NONE, table(criterion=text("gini")))),
        "hooks": made(LINEAR, table(_forward_hooks=call(ORDERED))),
        "content": made(name4("sklearn.feature_extraction.text", "CountVectorizer"), table(input=text("content"))),
        "weights": call(ORDERED) + text("w") + number(1) + b"s" + table(_metadata=call(ORDERED)) + b"b",
        "reconstructor": call(name4("copyreg", "_reconstructor"), TREE, name4("builtins", "object"), NONE),
        "index": call(index, kind, table(start=number(0), stop=number(9), step=number(1), name=NONE)),
        "array": array(FLOATS, shape=(1,), data=raw(bytes(8))),
        "objects": array(OBJECTS, shape=(2,), data=many(NONE, NONE)),
        "record": array(record, shape=(1,), data=many(row(NONE, number(1)))),
        "block": call(
            name4("pandas._libs.internals", "_unpickle_block"),
            array(FLOATS, shape=(1, 1), data=raw(bytes(8))),
            call(name4("builtins", "slice"), number(0), number(1), number(1)),
            number(2),
        ),
        "fraction": call(name4("fractions", "Fraction"), text("1/3")),
        "range": call(name4("builtins", "range"), number(0), number(100), number(1)),
        "keys": b"}(" + row(number(1), row(number(2))) + NONE + b"u",
        "tree": nodes(1, 2, 1),
        "stump": nodes(-1, -1, -2),
        "stacking": made(
            name4("sklearn.ensemble._stacking", "StackingClassifier"),
            table(stack_method=text("auto"), stack_method_=many(text("predict_proba"), text("predict"))),
        ),
        "frozen": made(name4("sklearn.frozen._frozen", "FrozenEstimator"), table(estimator=made(TREE))),
        "function-arguments": made(
            name4("sklearn.preprocessing._function_transformer", "FunctionTransformer"),
            table(func=name4("numpy", "clip"), kw_args=table(a_min=number(0), a_max=number(1))),
        ),
        "workers": made(name4("sklearn.ensemble._forest", "RandomForestClassifier"), table(n_jobs=number(-1))),
        "shared": b"](" + text("a") + b"eq\x000](" + b"h\x00" * 1000 + b"e",
        "tuple-key": b"}" + call(name4("builtins", "tuple"), many(number(1))) + b"Ns",
        "set": call(name4("builtins", "set"), many(number(1), text("a"))),
    }
    plain = [Case("honest", name, f"{name}.pkl", HEAD + content + b".") for name, content in found.items()]
    parameter = call(name4("torch._utils", "_rebuild_parameter"), tensor, YES, call(ORDERED))
    archives = {"tensor": tensor, "parameter": parameter}
    return plain + [
        Case("honest", name, f"{name}.pt", torch_archive(HEAD + content + b".", storages={"0": bytes(16)}))
        for name, content in archives.items()
    ]
