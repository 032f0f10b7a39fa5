"""With which arguments and which state a listed global may be used.

Rules of the allow lists:

``class``          made without arguments (NEWOBJ, ``copyreg``), then given its state
``constructor``    called with data
``collection``     made empty or from a literal collection: never from a range, which may be longer than memory
``value``          only named, never called: dtypes, array types, mathematical functions kept as a parameter
``data``           a function that may be called with data
anything else      a function of this module, which looks at every argument
"""

from __future__ import annotations

from collections.abc import Callable
from typing import Final

from weighbridge.checks.model_scan.pickle.context import Context
from weighbridge.checks.model_scan.pickle.values import (
    FUNCTION_FREE,
    Blob,
    Collection,
    Global,
    Group,
    Instance,
    Opaque,
    Storage,
    Value,
    holds_function,
)
from weighbridge.checks.model_scan.source import Memory, Part

Items = list[Value]
Judge = Callable[[Items], bool]

_BASES: Final = frozenset({"object", "dict", "list", "tuple", "set", "frozenset", "int", "float", "str"})
_BUILTINS: Final = frozenset({"builtins", "__builtin__"})
_FACTORIES: Final = frozenset({"list", "dict", "set", "tuple", "int", "float", "str", "bool"})
_ARRAYS: Final = frozenset({"ndarray", "matrix", "memmap", "recarray", "MaskedArray", "MaskedConstant"})
_BIT_GENERATORS: Final = frozenset({"MT19937", "PCG64", "PCG64DXSM", "Philox", "SFC64"})
_REBUILDERS: Final = frozenset({"_rebuild_tensor", "_rebuild_tensor_v2", "_rebuild_parameter"})


def _is_class(value: Value) -> bool:
    return type(value) is Global and value.rule in FUNCTION_FREE


def _is_data(items: Items) -> bool:
    return not any(holds_function(item) for item in items)


def _named(value: Value, names: frozenset[str]) -> bool:
    return type(value) is Global and value.name in names


def _made_by(value: Value, *names: str) -> bool:
    return type(value) is Instance and value.maker.name in names


def _is_bytes(value: Value) -> bool:
    return (
        type(value) is bytes
        or isinstance(value, str)
        or type(value) is Blob
        or _made_by(value, "encode", "bytearray", "bytes", "_frombuffer")
    )


def _reconstructor(items: Items) -> bool:
    match items:
        case [kind, Global(module=module, name=base), state]:
            return _is_class(kind) and module in _BUILTINS and base in _BASES and _is_data([state])
        case _:
            return False


def _new_object(items: Items) -> bool:
    match items:
        case [Global() as kind, *args]:
            return _is_class(kind) and judge(kind, Group(args), how="new") is None
        case _:
            return False


def _collection(items: Items) -> bool:
    match items:
        case [] | [Collection() | Group()] | [Collection() | Group(), int() | None]:
            return _is_data(items)
        case _:
            return False


def _encode(items: Items) -> bool:
    return len(items) == 2 and isinstance(items[0], str | Blob) and items[1] in ("latin1", "latin-1")  # noqa: PLR2004


def _bytes(items: Items) -> bool:
    match items:
        case [] | [Collection()]:
            return True
        case [content]:
            return _is_bytes(content)
        case [content, "latin1" | "latin-1" | "utf-8"]:
            return isinstance(content, str | Blob)
        case _:
            return False


def _defaultdict(items: Items) -> bool:
    match items:
        case [] | [None] | [None, Collection()]:
            return True
        case [Global(module=module, name=name)] | [Global(module=module, name=name), Collection()]:
            return (module in _BUILTINS and name in _FACTORIES) or (module, name) == ("collections", "OrderedDict")
        case _:
            return False


def _array(items: Items) -> bool:
    match items:
        case [kind, Group(), code]:
            return _named(kind, _ARRAYS) and _is_bytes(code)
        case _:
            return False


def _masked_array(items: Items) -> bool:
    match items:
        case [kind, base, Group(), code]:
            return _named(kind, _ARRAYS) and _named(base, _ARRAYS) and _is_bytes(code)
        case _:
            return False


def _scalar(items: Items) -> bool:
    match items:
        case [dtype, content]:
            return _made_by(dtype, "dtype") and (_is_bytes(content) or isinstance(content, int | Instance | None))
        case _:
            return False


def _frombuffer(items: Items) -> bool:
    match items:
        case [content, dtype, Group(), *order]:
            return _is_bytes(content) and _made_by(dtype, "dtype") and _is_data(order)
        case _:
            return False


def _dtype(items: Items) -> bool:
    return (
        len(items) in (1, 2, 3) and isinstance(items[0], str) and all(type(item) in (bool, int) for item in items[1:])
    )


def _bit_generator(items: Items) -> bool:
    match items:
        case [str(name)]:
            return name in _BIT_GENERATORS
        case [kind]:
            return _named(kind, _BIT_GENERATORS)
        case _:
            return False


def _random_state(items: Items) -> bool:
    match items:
        case [str(name), *rest]:
            known = name in _BIT_GENERATORS
        case [Instance(), *rest]:
            known = _made_by(items[0], "__bit_generator_ctor")
        case _:
            return False
    return known and all(_named(item, frozenset({"__bit_generator_ctor"})) for item in rest)


def _cython(items: Items) -> bool:
    match items:
        case [kind, int(), state]:
            return _is_class(kind) and _is_data([state])
        case _:
            return False


def _new_cython(items: Items) -> bool:
    return len(items) == 1 and _is_class(items[0])


def _partial(items: Items) -> bool:
    return len(items) == 1 and type(items[0]) is Global and items[0].rule == "value"


def _index(items: Items) -> bool:
    match items:
        case [kind, Collection(kind="dict")]:
            return _is_class(kind)
        case _:
            return False


def _is_storage(value: Value) -> bool:
    return type(value) is Storage or _made_by(value, "_load_from_bytes") or value is Opaque.UNKNOWN


def _tensor(items: Items) -> bool:
    match items:
        case [storage, int(), Group(), Group(), *rest]:
            return _is_storage(storage) and _is_data(rest)
        case _:
            return False


def _parameter(items: Items) -> bool:
    match items:
        case [tensor, bool(), *rest]:
            return _is_data(rest) and type(tensor) is Instance
        case _:
            return False


def _typed(items: Items) -> bool:
    match items:
        case [function, kind, Group() as args, state]:
            return (
                type(function) is Global
                and function.name in _REBUILDERS
                and _is_class(kind)
                and judge(function, args, how="reduce") is None
                and _is_data([state])
            )
        case _:
            return False


def _storage_bytes(items: Items) -> bool:
    return len(items) == 1 and (type(items[0]) is bytes or (type(items[0]) is Blob and items[0].kind == "bytes"))


_JUDGES: Final[dict[str, Judge]] = {
    "constructor": _is_data,
    "collection": _collection,
    "data": _is_data,
    "reconstructor": _reconstructor,
    "new-object": _new_object,
    "encode": _encode,
    "bytes": _bytes,
    "defaultdict": _defaultdict,
    "array": _array,
    "masked-array": _masked_array,
    "scalar": _scalar,
    "frombuffer": _frombuffer,
    "dtype": _dtype,
    "bit-generator": _bit_generator,
    "random-state": _random_state,
    "cython": _cython,
    "new-cython": _new_cython,
    "partial": _partial,
    "index": _index,
    "tensor": _tensor,
    "parameter": _parameter,
    "typed-tensor": _typed,
    "storage-bytes": _storage_bytes,
}

RULES: Final = frozenset(_JUDGES) | {"class", "value"}
"""Every rule that an allow list may name."""

_NO_STATE: Final = frozenset({"encode", "bytes", "scalar", "storage-bytes"})
_LISTS: Final = frozenset({("builtins", "list"), ("collections", "deque")})
_DICTIONARIES: Final = frozenset({"OrderedDict", "defaultdict", "Bunch", "Counter", "dict"})


def judge(callee: Global, args: Group, *, how: str) -> str | None:
    """Tell what is wrong with a call, or None. ``how`` is ``reduce`` or ``new`` (``cls.__new__``)."""
    rule = callee.rule
    if rule == "class":
        return None if not args.items else "is made with arguments, which its pickles never do"
    if rule == "constructor" or rule not in _JUDGES:
        fits = rule == "constructor" and not args.holds_function
        return None if fits else "may be named but not called, or is called with a function"
    if how == "new" and rule not in ("dtype", "collection"):
        return "is a function, and the pickle makes an object of it as if it were a class"
    # An argument list that is so long that it was cut has been judged in part only.
    return (
        None if not args.cut and _JUDGES[rule](args.items) else "is called with arguments that its pickles never have"
    )


def follow(callee: Global, args: Group, context: Context, *, offset: int) -> None:
    """Scan what a loader is given: the bytes that ``_load_from_bytes`` would unpickle."""
    if callee.rule != "storage-bytes":
        return
    content = args.items[0]
    if context.nested is None:
        context.notes.cannot_decide("a pickle inside a pickle", location=f"{context.location}:{offset}")
    elif type(content) is Blob:
        context.nested(context, Part(context.source, start=content.offset, length=content.length))
    elif type(content) is bytes:
        # A short literal is kept whole.

        context.nested(context, Memory(content))


def judge_state(target: Value, state: Value) -> str | None:
    """Tell what is wrong with giving ``target`` this state, or None."""
    if type(target) is not Instance:
        return "state is given to something that is not an object of a listed class"
    maker = target.maker
    if maker.rule in _NO_STATE:
        return f"state is given to the result of {maker.path}, which has none"
    if maker.rule == "partial":
        return _judge_partial_state(state)
    problem = _judge_plain_state(state)
    return None if problem is None else f"the state of {maker.path} {problem}"


def _judge_plain_state(state: Value) -> str | None:
    if holds_function(state):
        return "holds a function that may only be called"
    if type(state) is Group and state.cut:
        return "is a tuple that is longer than any"
    for part in state.items if type(state) is Group else [state]:
        if type(part) is Collection and part.special is not None:
            return f"sets {part.special}"
    return None


def _judge_partial_state(state: Value) -> str | None:
    match state:
        case Group(items=[Global(rule="value"), Group() as args, Collection(kind="dict"), _]) if (
            not args.holds_function
        ):
            return None
        case _:
            return "a partial is given a function that is not a listed value"


def is_list(target: Instance) -> bool:
    """Tell whether items may be appended to an object."""
    return (target.maker.module, target.maker.name) in _LISTS


def is_dictionary(target: Instance) -> bool:
    """Tell whether items may be set in an object."""
    maker = target.maker
    if maker.rule in ("reconstructor", "new-object") and type(target.args.items[0]) is Global:
        return target.args.items[0].name in _DICTIONARIES
    return maker.name in _DICTIONARIES
