"""What a call of each known name looks like, the way its library writes it, with room for odd values."""

from __future__ import annotations

from collections.abc import Callable
from typing import TYPE_CHECKING

from tests.fuzz.pickles.grammar import TEXTS, lit, mapping, tuple_
from tests.fuzz.pickles.tree import Make, Mapping, Node, Sequence

if TYPE_CHECKING:
    from tests.fuzz.pickles.grammar import Grammar

Form = Callable[[int], Node]
"""Makes a node that is at most so deep."""


def forms(grammar: Grammar) -> dict[str, Form]:
    """Return the form of every name that has one."""
    rng = grammar.rng

    def call(name: str, *args: Node, state: Node | None = None) -> Make:
        return Make(grammar.name(name), tuple_(*args), states=[] if state is None else [state])

    def dictionary(depth: int) -> Mapping:
        return Mapping([(grammar.key(), grammar.value(depth)) for _ in range(rng.randrange(3))])

    def ordered(name: str) -> Callable[[int], Node]:
        def form(depth: int) -> Node:
            made = call(name)
            made.pairs = dictionary(depth).pairs
            return made

        return form

    def defaulted(depth: int) -> Node:
        made = call(
            "defaultdict", grammar.name("list", "dict", "int", "OrderedDict") if rng.random() < 0.7 else grammar.sink()
        )
        made.pairs = dictionary(depth).pairs
        return made

    def deque(depth: int) -> Node:
        made = call("deque", Sequence("list"), lit(rng.choice((None, 4))))
        made.appends = [grammar.value(depth) for _ in range(rng.randrange(3))]
        return made

    def size(depth: int) -> Node:
        del depth
        return rng.choice((tuple_(lit(2), lit(3)), call("range", lit(grammar.number())), Sequence("list", [lit(1)])))

    def tensor(depth: int) -> Node:
        storage = grammar.value(depth)
        return call(
            "_rebuild_tensor_v2", storage, lit(0), tuple_(lit(2)), tuple_(lit(1)), lit(False), call("OrderedDict")
        )

    def plain(name: str, *choices: Callable[[], Node]) -> Callable[[int], Node]:
        return lambda depth: call(name, *(choice() for choice in choices))

    def text() -> Node:
        return lit(rng.choice(TEXTS))

    def number() -> Node:
        return lit(grammar.number())

    def lists() -> Node:
        return grammar.value(1)

    return {
        "dtype": grammar.dtype,
        "_reconstruct": grammar.array,
        "scalar": lambda depth: call("scalar", grammar.dtype(depth), lit(grammar.raw())),
        "_frombuffer": lambda depth: call(
            "_frombuffer", lit(grammar.raw()), grammar.dtype(depth), tuple_(number()), lit("C"),
        ),
        "partial": lambda depth: grammar.sink(),
        "_reconstructor": lambda depth: call(
            "_reconstructor", grammar.name(), grammar.name("object", "dict", "list", "tuple"), grammar.value(depth),
            state=dictionary(depth),
        ),
        "__newobj__": lambda depth: call(
            "__newobj__", grammar.name(), *([grammar.value(depth)] if rng.random() < 0.2 else []),
        ),
        "OrderedDict": ordered("OrderedDict"),
        "Bunch": ordered("Bunch"),
        "Counter": ordered("Counter"),
        "defaultdict": defaulted,
        "deque": deque,
        "Fraction": plain("Fraction", lambda: rng.choice((text(), number(), lit("1e9000000"), lit(0.5)))),
        "Decimal": plain("Decimal", lambda: rng.choice((text(), number(), lit("1e999999999")))),
        "complex": plain("complex", lambda: lit(1.0), lambda: lit(2.0)),
        "slice": plain("slice", lists, lists, lists),
        "range": plain("range", number),
        "list": plain("list", lambda: size(1)),
        "tuple": plain("tuple", lambda: size(1)),
        "set": plain("set", lists),
        "frozenset": plain("frozenset", lists),
        "dict": plain("dict", lists),
        "bytearray": plain("bytearray", lambda: rng.choice((lit(b"xy"), number()))),
        "bytes": plain("bytes", lambda: rng.choice((lit(b"xy"), number()))),
        "encode": plain("encode", text, lambda: lit(rng.choice(("latin1", "utf-8", "rot13", "zlib")))),
        "datetime": plain("datetime", lambda: lit(b"\x07\xea\x01\x01\x00\x00\x00\x00\x00\x00")),
        "date": plain("date", lambda: lit(b"\x07\xea\x01\x01")),
        "timedelta": plain("timedelta", number, number, number),
        "UUID": lambda depth: call("UUID", state=mapping(int=number())),
        "Size": plain("Size", lambda: size(1)),
        "_new_Index": lambda depth: call(
            "_new_Index", rng.choice((grammar.name("Index", "RangeIndex"), grammar.name())), grammar.keywords(),
        ),
        "new_block": lambda depth: call("new_block", grammar.array(depth), grammar.value(1), lit(rng.choice((1, 2)))),
        "_unpickle_block": lambda depth: call(
            "_unpickle_block", grammar.array(depth), grammar.value(1), lit(rng.choice((1, 2))),
        ),
        "BlockManager": lambda depth: call("BlockManager", grammar.value(depth), grammar.value(depth)),
        "Tree": lambda depth: call("Tree", number(), grammar.array(depth), lit(1), state=dictionary(depth)),
        "newObj": lambda depth: call("newObj", grammar.name(), state=grammar.value(depth)),
        "_rebuild_tensor_v2": tensor,
        "_rebuild_parameter": lambda depth: call(
            "_rebuild_parameter", grammar.value(depth), lit(True), call("OrderedDict"),
        ),
        "_rebuild_from_type_v2": lambda depth: call(
            "_rebuild_from_type_v2", grammar.name("_rebuild_tensor_v2", "_rebuild_parameter"),
            grammar.name("Tensor", "Parameter"), tuple_(grammar.value(depth)), Mapping(),
        ),
        "_load_from_bytes": lambda depth: call("_load_from_bytes", lit(grammar.raw())),
        "__generator_ctor": lambda depth: call("__generator_ctor", call("__bit_generator_ctor", lit("PCG64"))),
        "__bit_generator_ctor": lambda depth: call(
            "__bit_generator_ctor", rng.choice((lit("PCG64"), grammar.name("PCG64"))),
        ),
    }  # fmt: skip
